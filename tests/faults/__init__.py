"""A centre at work while things break: real processes, faults on purpose, and a count of what was lost.

`running` starts everything, `clerks` are the people who work on whatever happens, `troubles` are the faults, and
`ledger` counts at the end, from the outside, what was handed in against what is there. The short run is
`test_faults.py`, the long one `bench/faults.py`.
"""

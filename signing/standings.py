"""What was found out about a certificate a moment ago, for the next document of a batch.

Finding a standing builds and checks a chain and reads lists: a third of what a signature costs. Within a batch the same
authority answers, the same leader signed before the seal, and chains stay as they are, and so does what the same lists
and answers prove about them. Whether whoever signs now may do so is never taken from here: before each use of a key the
lists and answers in force are looked up anew, and the dates of everybody in the chain. What was refused or isn't known
is asked again each time. Kept by thread, since what asn1crypto reads lazily can't be shared.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from signing.trust import TrustStore

T = TypeVar("T")

#: A revocation that becomes known is heeded so late at most, and at once where it comes with a new list.
_KEPT_S = 60.0
_MOST = 64

_here = threading.local()


def kept(what: Hashable, trust: TrustStore, find: Callable[[], T], *, worth: Callable[[T], bool] = bool) -> T:
    """What is true of something against this trust, found now or within the last minute.

    Args:
        what: Of which certificate (DER), and which of the things that are kept.
        trust: With other anchors, lists or answers it is found anew.
        find: Finds it; what it raises is raised.
        worth: Whether what was found may be kept.
    """
    there = _known().get(_key(what, trust))
    if there is not None and time.monotonic() - there[0] < _KEPT_S:
        found: T = there[1]
        return found
    found = find()
    if worth(found):
        keep(what, trust, found)
    return found


def keep(what: Hashable, trust: TrustStore, found: object) -> None:
    """Remember what was just found anew, for whoever asks `kept` within the next minute."""
    known = _known()
    known[_key(what, trust)] = (time.monotonic(), found)
    while len(known) > _MOST:
        known.popitem(last=False)


def _known() -> OrderedDict[Hashable, tuple[float, Any]]:
    known: OrderedDict[Hashable, tuple[float, Any]] | None = getattr(_here, "known", None)
    if known is None:
        known = _here.known = OrderedDict()
    return known


def _key(what: Hashable, trust: TrustStore) -> Hashable:
    return what, trust.anchors, trust.terms, trust.intermediates, trust.crls, trust.ocsps

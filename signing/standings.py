"""The standing of a timestamp authority, found a moment ago, for the next document of a batch.

Finding a standing builds and checks a chain and reads lists: a third of what a signature costs. Within a batch the same
authority answers. Only authorities' are kept: a signer's is found anew before each use of a key, and what was refused
or isn't known is asked again each time.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from signing.trust import Standing, TrustStore

#: A revocation that becomes known is heeded so late at most, and at once where it comes with a new list.
_KEPT_S = 60.0
_MOST = 32

_lock = threading.Lock()
_kept: OrderedDict[tuple[object, ...], tuple[float, Standing]] = OrderedDict()


def kept(certificate: bytes, trust: TrustStore, find: Callable[[], Standing]) -> Standing:
    """The standing of a certificate (SHA-256) against this trust, found now or within the last minute.

    Args:
        trust: With other anchors, lists or answers it is found anew.
        find: Finds it; what it raises is raised.
    """
    key = (certificate, trust.anchors, trust.terms, trust.intermediates, trust.crls, trust.ocsps)
    now = time.monotonic()
    with _lock:
        found = _kept.get(key)
    if found is not None and now - found[0] < _KEPT_S:
        return found[1]
    standing = find()
    if standing.known:
        with _lock:
            _kept[key] = (now, standing)
            while len(_kept) > _MOST:
                _kept.popitem(last=False)
    return standing

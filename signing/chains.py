"""Whether a signature or a timestamp token counts, found out once for each certificate and not for each signature.

The signatures of one file come from few certificates and hang on fewer: the same authority stamped them all. pyHanko
judges each by itself, with a new context, and looks each certificate's chain up and down again. Here its own parts are
put together in the same order with the same arguments, and what one of them has found is kept for the next: a path that
was found valid for a certificate, at one moment, from the same anchors, with the same lists and the same certificates
at hand; and that one key made one signature over certain bytes.

This only ever says yes. Whatever isn't beyond doubt here is asked of pyHanko anew and as a whole: only its words for a
refusal are told to anybody.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from asn1crypto import algos, core, tsp
from pyhanko.sign.validation.generic_cms import validate_sig_integrity
from pyhanko.sign.validation.policy_decl import bootstrap_validation_data_handlers
from pyhanko.sign.validation.utils import CMSAlgorithmUsagePolicy
from pyhanko_certvalidator import find_valid_path
from pyhanko_certvalidator.errors import PathBuildingError, ValidationError
from pyhanko_certvalidator.sig_validate import (
    DEFAULT_VALIDATION_CONTEXT,
    DefaultSignatureValidator,
    SignatureValidationContext,
    SignatureValidator,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from asn1crypto import cms, keys, x509
    from pyhanko.sign.general import SignedDataCerts
    from pyhanko.sign.validation.policy_decl import SignatureValidationSpec
    from pyhanko.sign.validation.settings import KeyUsageConstraints
    from pyhanko_certvalidator import ValidationContext
    from pyhanko_certvalidator.ltv.types import ValidationTimingInfo
    from pyhanko_certvalidator.path import ValidationPath

#: So many good signatures are remembered, 32 bytes each.
_MOST_REMEMBERED = 4096


class Remembering(SignatureValidator):
    """Does the mathematics of a signature once: the same key, over the same bytes, in the same way."""

    def __init__(self) -> None:
        self._good: set[bytes] = set()
        self._plain = DefaultSignatureValidator()

    def validate_signature(
        self,
        signature: bytes,
        signed_data: bytes,
        public_key_info: keys.PublicKeyInfo,
        signature_algorithm: algos.SignedDigestAlgorithm,
        context: SignatureValidationContext = DEFAULT_VALIDATION_CONTEXT,
    ) -> None:
        """As there; only what was good is remembered.

        Raises:
            InvalidSignature: It isn't that key's.
        """
        asked = hashlib.sha256()
        way = f"{context.contextual_md_algorithm} {context.prehashed}".encode()
        for part in (signature, signed_data, public_key_info.dump(), signature_algorithm.dump(), way):
            asked.update(len(part).to_bytes(8, "big"))
            asked.update(part)
        if asked.digest() in self._good:
            return
        self._plain.validate_signature(signature, signed_data, public_key_info, signature_algorithm, context)
        if len(self._good) >= _MOST_REMEMBERED:
            self._good.clear()
        self._good.add(asked.digest())


class Chains:
    """What is known of certificates while one file is judged."""

    def __init__(self) -> None:
        # With each context what it was made of: as long as that is held, nothing else has its identity.
        self._contexts: dict[Any, tuple[SignatureValidationSpec, ValidationContext]] = {}
        self._paths: dict[Any, tuple[KeyUsageConstraints, ValidationPath | None]] = {}

    async def path(
        self,
        cert: x509.Certificate,
        others: Sequence[x509.Certificate],
        spec: SignatureValidationSpec,
        timing: ValidationTimingInfo,
        usage: KeyUsageConstraints,
    ) -> ValidationPath | None:
        """The valid path to a certificate that may be used so; None where there is none, or where it is an anchor.

        Args:
            others: Certificates that came along.
            spec: Anchors, lists and rules. Of its rules only the one for certificates is asked.
        """
        made_of = self._made_of(others, spec, timing)
        key = (*made_of, cert.sha256, id(usage))
        if key not in self._paths:
            if made_of not in self._contexts:
                self._contexts[made_of] = spec, _context(others, spec, timing)
            self._paths[key] = usage, await _path(cert, self._contexts[made_of][1], usage)
        return self._paths[key][1]

    @staticmethod
    def _made_of(
        others: Sequence[x509.Certificate], spec: SignatureValidationSpec, timing: ValidationTimingInfo
    ) -> tuple[Any, ...]:
        policy, at_hand = spec.cert_validation_policy, spec.local_knowledge
        return (
            frozenset(one.sha256 for one in others),
            *(tuple(map(id, some)) for some in (at_hand.known_certs, at_hand.known_crls, at_hand.known_ocsps)),
            id(policy.trust_manager),
            id(policy.algorithm_usage_policy),
            policy.revinfo_policy,
            policy.time_tolerance,
            timing,
        )


def _context(
    others: Sequence[x509.Certificate], spec: SignatureValidationSpec, timing: ValidationTimingInfo
) -> ValidationContext:
    handlers = bootstrap_validation_data_handlers(spec=spec, timing_info=timing)
    context = spec.cert_validation_policy.build_validation_context(timing_info=timing, handlers=handlers)
    context.certificate_registry.register_multiple(others)
    return context


async def _path(
    cert: x509.Certificate, context: ValidationContext, usage: KeyUsageConstraints
) -> ValidationPath | None:
    try:
        path: ValidationPath = await find_valid_path(
            cert, context.path_builder.async_build_paths_lazy(cert), validation_context=context
        )
        usage.validate(cert)
    except (ValidationError, PathBuildingError, ValueError):
        return None
    return path if path.pkix_len else None


def signs(
    info: cms.SignerInfo,
    signed: cms.SignedData,
    certs: SignedDataCerts,
    digest: bytes | None,
    spec: SignatureValidationSpec,
    timing: ValidationTimingInfo,
) -> bool:
    """Whether an ordinary signature is its signer's, over that digest, by algorithms that count.

    Args:
        digest: Of what is signed from outside; None where it is inside.
    """
    inside = signed["encap_content_info"]["content"]
    attributes = info["signed_attrs"]
    if attributes is core.VOID or certs.attribute_certs or (digest is None) == (inside is core.VOID):
        return False
    if any(one["type"].native == "signer_attributes_v2" for one in attributes):
        return False
    stated = info["digest_algorithm"]["algorithm"].native
    policy = spec.cert_validation_policy
    if not _allowed(info, certs.signer_cert, policy.algorithm_usage_policy, timing):
        return False
    intact, valid = validate_sig_integrity(
        info,
        certs.signer_cert,
        expected_content_type=signed["encap_content_info"]["content_type"].native,
        actual_digest=hashlib.new(stated, bytes(inside)).digest() if digest is None else digest,
        sig_validator=policy.signature_validator,
    )
    return bool(intact and valid)


def _allowed(info: cms.SignerInfo, cert: x509.Certificate, algorithms: Any, timing: ValidationTimingInfo) -> bool:
    """Whether signature and digest are made by algorithms that count, and fit each other."""
    policy = CMSAlgorithmUsagePolicy.lift_policy(algorithms)
    mechanism, digest = info["signature_algorithm"], info["digest_algorithm"]
    moment = timing.best_signature_time
    named = algos.DigestAlgorithm({"algorithm": digest["algorithm"].native})
    return bool(
        policy.signature_algorithm_allowed(mechanism, moment=moment, public_key=cert.public_key)
        and policy.digest_algorithm_allowed(digest, moment=moment)
        and policy.digest_combination_allowed(signature_algo=mechanism, message_digest_algo=named, moment=None)
    )


def stamps(token: cms.SignedData, imprint: Callable[[str], bytes]) -> bool:
    """Whether a token is about what it should be about."""
    content = token["encap_content_info"]["content"]
    told = content.parsed if isinstance(content, core.ParsableOctetString) else None
    if not isinstance(told, tsp.TSTInfo):
        return False
    about = told["message_imprint"]
    return bool(imprint(about["hash_algorithm"]["algorithm"].native) == about["hashed_message"].native)

"""Fixtures every test may ask for."""

from tests.pki import pki

__all__ = ["pki"]

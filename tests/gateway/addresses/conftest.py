"""The same Account as the tests of its withdrawals have."""

from tests.gateway.withdrawals.conftest import later, real

__all__ = ["later", "real"]

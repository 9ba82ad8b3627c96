"""What holds for all tests."""

from hypothesis import HealthCheck, settings

# Machines are shared and slow at times: no test asserts how long it takes.
settings.register_profile("streamdb", suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("streamdb")

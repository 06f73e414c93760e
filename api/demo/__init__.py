"""The demo centre: what stands in for the world outside when somebody tries the service on one machine."""

"""The one durable work queue: leases, heartbeat, fencing, back-off, drain."""

"""What can be done to a network; each function is one transaction's worth of work and leaves an audit entry."""

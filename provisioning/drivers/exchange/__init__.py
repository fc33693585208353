"""Exchange nodes, as a vendor."""

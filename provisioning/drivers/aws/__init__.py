"""Amazon Web Services: transit gateways, their route tables, VPN connections and VPC routes. See README.md."""

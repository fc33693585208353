# alkiranet/terraform-provider-alkira, acceptance tests and examples/resources, as one configuration.
resource "alkira_segment" "production" {
  name  = "production"
  asn   = "65001"
  cidrs = ["10.0.0.0/8", "192.168.0.0/16", "172.16.0.0/12"]
}
resource "alkira_segment" "seg2" {
  name  = "seg2"
  cidrs = ["10.16.1.0/24", "10.100.0.0/16", "10.200.0.0/16"]
}
resource "alkira_group" "group1" { name = "group1" }
resource "alkira_group" "group2" { name = "group2" }
resource "alkira_group" "source_connectors" { name = "source-connectors" }
resource "alkira_group" "destination_services" { name = "destination-services" }
resource "alkira_group_user" "users" { name = "users" }
resource "alkira_billing_tag" "tag1" { name = "tag1" }
resource "alkira_policy_prefix_list" "internal_networks" {
  name = "internal-networks"
  prefix { cidr = "10.0.0.0/8" }
  prefix { cidr = "172.16.0.0/12" }
}
resource "alkira_policy_prefix_list" "dmz_networks" {
  name = "dmz-networks"
  prefix {
    cidr        = "192.168.0.0/16"
    description = "DMZ"
  }
}
resource "alkira_policy_prefix_list" "range_based" {
  name = "range-based"
  prefix_range {
    prefix = "10.1.0.0/16"
    ge     = 18
    le     = 20
  }
}
resource "alkira_policy_prefix_list" "approved" {
  name = "approved"
  prefix { cidr = "10.2.3.0/24" }
  prefix { cidr = "10.4.6.0/24" }
}
resource "alkira_connector_aws_vpc" "advanced" {
  name            = "aws-vpc-advanced"
  description     = "Advanced AWS VPC connector with high availability"
  vpc_id          = "vpc-87654321"
  aws_account_id  = "123456789012"
  aws_region      = "us-east-1"
  cxp             = "US-WEST"
  failover_cxps   = ["US-EAST"]
  group           = alkira_group.group1.name
  segment_id      = alkira_segment.production.id
  size            = "MEDIUM"
  billing_tag_ids = [alkira_billing_tag.tag1.id]
  vpc_cidr        = ["10.0.0.0/16", "10.1.0.0/16"]
}
resource "alkira_connector_gcp_vpc" "vpc1" {
  name         = "example-vpc1"
  gcp_region   = "us-west1"
  gcp_vpc_name = "example-vpc1"
  project_id   = "example-prod-1"
  cxp          = "US-WEST"
  size         = "SMALL"
  group        = alkira_group.group2.name
  segment_id   = alkira_segment.seg2.id
}
resource "alkira_connector_ipsec" "dynamic" {
  name       = "ipsec-dynamic"
  cxp        = "US-WEST"
  group      = alkira_group.group2.name
  segment_id = alkira_segment.production.id
  size       = "MEDIUM"
  vpn_mode   = "ROUTE_BASED"
  routing_options {
    type                 = "DYNAMIC"
    customer_gateway_asn = "65340"
  }
  endpoint {
    name                = "site1"
    customer_gateway_ip = "203.0.113.50"
    preshared_keys      = ["none of ours"]
  }
  endpoint {
    name                = "site2"
    customer_gateway_ip = "203.0.113.51"
    preshared_keys      = ["none of ours"]
  }
}
resource "alkira_policy_prefix_list" "static_routes" {
  name = "static-routes"
  prefix { cidr = "172.16.0.0/16" }
}
resource "alkira_connector_ipsec" "static" {
  name       = "ipsec-static"
  cxp        = "US-EAST"
  group      = alkira_group.destination_services.name
  segment_id = alkira_segment.production.id
  size       = "SMALL"
  vpn_mode   = "ROUTE_BASED"
  routing_options {
    type           = "STATIC"
    prefix_list_id = alkira_policy_prefix_list.static_routes.id
  }
  endpoint {
    name                = "site1"
    customer_gateway_ip = "203.0.113.10"
    preshared_keys      = ["none of ours"]
  }
}
resource "alkira_connector_aws_dx" "dx" {
  name              = "dx"
  cxp               = "US-WEST"
  size              = "MEDIUM"
  tunnel_protocol   = "GRE"
  group             = alkira_group.source_connectors.name
  loopback_prefixes = ["10.30.0.0/24"]
  instance {
    name               = "instance1"
    connection_id      = "dxcon-fg5678ab"
    dx_asn             = 64850
    dx_gateway_ip      = "169.254.19.1"
    on_prem_asn        = 65000
    on_prem_gateway_ip = "169.254.19.2"
    underlay_prefix    = "169.254.19.0/30"
    vlan_id            = 305
    aws_region         = "us-west-1"
    segment_options {
      segment_id = alkira_segment.production.id
    }
  }
}
resource "alkira_connector_remote_access" "remote" {
  name                = "remote"
  cxp                 = "US-WEST"
  segment_ids         = [alkira_segment.production.id]
  size                = "SMALL"
  authentication_mode = "LOCAL"
  authorization {
    user_group_name = alkira_group_user.users.name
    segment_id      = alkira_segment.production.id
    subnet          = "172.31.1.0/24"
  }
}
resource "alkira_connector_internet_exit" "exit" {
  name       = "exit"
  cxp        = "US-WEST"
  group      = alkira_group.group1.name
  segment_id = alkira_segment.production.id
}
resource "alkira_internet_application" "test" {
  name           = "test-ifa"
  connector_id   = alkira_connector_ipsec.dynamic.id
  connector_type = "IPSEC"
  fqdn_prefix    = "tfexample"
  segment_id     = alkira_segment.production.id
  size           = "SMALL"
  target {
    type        = "IP"
    value       = "10.2.3.9"
    port_ranges = ["1200"]
  }
}
resource "alkira_policy_rule" "basic" {
  name        = "basic-drop-rule"
  description = "Basic policy rule to drop traffic"
  src_ip      = "any"
  dst_ip      = "172.16.0.0/16"
  dscp        = "any"
  protocol    = "any"
  src_ports   = ["any"]
  dst_ports   = ["any"]
  rule_action = "DROP"
}
resource "alkira_policy_rule" "advanced" {
  name                      = "advanced-service-rule"
  description               = "Advanced policy rule with service chaining"
  src_prefix_list_id        = alkira_policy_prefix_list.internal_networks.id
  dst_prefix_list_id        = alkira_policy_prefix_list.dmz_networks.id
  dscp                      = "any"
  protocol                  = "tcp"
  src_ports                 = ["any"]
  dst_ports                 = ["80", "443"]
  rule_action               = "ALLOW"
  rule_action_service_types = ["FIREWALL", "IDS"]
  rule_action_service_ids   = [alkira_service_pan.firewall.id, alkira_service_checkpoint.ids.id]
}
resource "alkira_policy_rule" "internet_app" {
  name                    = "internet-app-rule"
  src_ip                  = "any"
  internet_application_id = alkira_internet_application.test.id
  dscp                    = "any"
  protocol                = "tcp"
  src_ports               = ["any"]
  dst_ports               = ["1200"]
  rule_action             = "ALLOW"
}
resource "alkira_policy_rule" "application_based" {
  name            = "application-based-rule"
  dscp            = "any"
  protocol        = "any"
  application_ids = ["HTTP", "HTTPS", "SSH"]
  rule_action     = "ALLOW"
}
resource "alkira_policy_rule_list" "drop" {
  name = "drop"
  rules {
    priority = 1
    rule_id  = alkira_policy_rule.basic.id
  }
}
resource "alkira_policy_rule_list" "rest" {
  name = "rest"
  rules {
    priority = 1
    rule_id  = alkira_policy_rule.advanced.id
  }
  rules {
    priority = 2
    rule_id  = alkira_policy_rule.internet_app.id
  }
  rules {
    priority = 3
    rule_id  = alkira_policy_rule.application_based.id
  }
}
resource "alkira_policy" "drop" {
  name         = "basic-drop"
  enabled      = "true"
  from_groups  = [alkira_group.source_connectors.id]
  to_groups    = ["-1"]
  rule_list_id = alkira_policy_rule_list.drop.id
  segment_ids  = [alkira_segment.production.id]
}
resource "alkira_policy" "advanced" {
  name         = "advanced"
  enabled      = "true"
  from_groups  = ["-1"]
  to_groups    = ["-1"]
  rule_list_id = alkira_policy_rule_list.rest.id
  segment_ids  = [alkira_segment.production.id]
}
resource "alkira_segment_resource" "one" {
  name       = "one"
  segment_id = alkira_segment.production.id
  group_prefix {
    group_id       = alkira_group.group1.id
    prefix_list_id = -1
  }
}
resource "alkira_segment_resource" "two" {
  name       = "two"
  segment_id = alkira_segment.seg2.id
  group_prefix {
    group_id       = alkira_group.group2.id
    prefix_list_id = -1
  }
}
resource "alkira_segment_resource_share" "test" {
  name                       = "simple-test"
  designated_segment_id      = alkira_segment.production.id
  service_ids                = [-1]
  end_a_segment_resource_ids = [alkira_segment_resource.one.id]
  end_b_segment_resource_ids = [alkira_segment_resource.two.id]
}

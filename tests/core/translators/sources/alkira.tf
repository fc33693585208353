variable "cxp" { default = "US-EAST-1" }
variable "secret" {}
resource "alkira_segment" "corp" {
  name  = "corp"
  cidrs = ["10.0.0.0/8"]
  asn = 65001
}
resource "alkira_segment" "dmz" {
  name  = "dmz"
  cidrs = ["172.16.0.0/12"]
}
resource "alkira_group" "prod" { name = "prod" }
resource "alkira_billing_tag" "t" { name = "team-a" }
resource "alkira_policy_prefix_list" "offices" {
  name = "offices"
  prefix { cidr = "10.20.0.0/16" }
  prefix_range { 
    prefix = "10.21.0.0/16"
    le = 20
    ge = 18
  }
}
resource "aws_vpc" "main" { cidr_block = "10.1.0.0/16" }
resource "alkira_connector_aws_vpc" "prod" {
  name = "vpc-prod"
  vpc_id = aws_vpc.main.id
  vpc_cidr = [aws_vpc.main.cidr_block]
  aws_account_id = "123456789012"
  aws_region = "us-east-1"
  cxp = var.cxp
  failover_cxps = ["EU"]
  group = alkira_group.prod.name
  segment_id = alkira_segment.corp.id
  size = "SMALL"
  credential_id = alkira_credential_aws_vpc.x.id
  billing_tag_ids = [alkira_billing_tag.t.id]
  tgw_connect_enabled = true
}
resource "alkira_connector_ipsec" "branch" {
  name = "branch"
  cxp = var.cxp
  segment_id = alkira_segment.corp.id
  size = "LARGE"
  vpn_mode = "ROUTE_BASED"
  group = "branches"
  endpoint {
    name = "b1"
    customer_gateway_ip = "203.0.113.1"
    preshared_keys = ["s3cret", var.secret]
  }
  routing_options {
    type = "STATIC"
    prefix_list_id = alkira_policy_prefix_list.offices.id
  }
}
resource "alkira_connector_ipsec" "dyn" {
  name = "dyn"
  cxp = "XX"
  segment_id = alkira_segment.dmz.id
  size = "SMALL"
  vpn_mode = "ROUTE_BASED"
  endpoint {
    name = "b2"
    customer_gateway_ip = "0.0.0.0"
    customer_ip_type = "DYNAMIC"
    preshared_keys = ["s3cret"]
  }
  routing_options {
    type = "DYNAMIC"
    customer_gateway_asn = "65310"
  }
}
resource "alkira_connector_internet_exit" "exit" {
  name = "exit"
  cxp = var.cxp
  segment_id = alkira_segment.corp.id
}
resource "alkira_internet_application" "shop" {
  name = "shop"
  connector_id = alkira_connector_aws_vpc.prod.id
  connector_type = "AWS_VPC"
  fqdn_prefix = "shop"
  segment_id = alkira_segment.corp.id
  size = "SMALL"
  target {
    type = "IP"
    value = "10.1.1.1"
    port_ranges = ["443"]
  }
}
resource "alkira_policy_rule" "web" {
  name = "web"
  src_ip = "any"
  dst_prefix_list_id = alkira_policy_prefix_list.offices.id
  dscp = "any"
  protocol = "tcp"
  src_ports = ["any"]
  dst_ports = ["80", "443"]
  rule_action = "ALLOW"
}
resource "alkira_policy_rule" "shop" {
  name = "shop"
  src_ip = "any"
  internet_application_id = alkira_internet_application.shop.id
  dscp = "any"
  protocol = "tcp"
  rule_action = "ALLOW"
}
resource "alkira_policy_rule" "drop" {
  name = "drop"
  src_ip = "any"
  dst_ip = "any"
  dscp = "any"
  protocol = "any"
  rule_action = "DROP"
}
resource "alkira_policy_rule" "app" {
  name = "app"
  dscp = "any"
  protocol = "any"
  application_ids = [1]
}
resource "alkira_policy_rule_list" "l" {
  name = "l"
  rules { 
    priority = 20
    rule_id = alkira_policy_rule.drop.id
  }
  rules { 
    priority = 10
    rule_id = alkira_policy_rule.web.id
  }
  rules { 
    priority = 11
    rule_id = alkira_policy_rule.shop.id
  }
  rules { 
    priority = 12
    rule_id = alkira_policy_rule.app.id
  }
}
resource "alkira_policy" "p" {
  name = "p"
  enabled = "true"
  from_groups = [alkira_group.prod.id]
  to_groups = [-1]
  rule_list_id = alkira_policy_rule_list.l.id
  segment_ids = [alkira_segment.corp.id]
}
resource "alkira_segment_resource" "a" {
  name = "a"
  segment_id = alkira_segment.corp.id
  group_prefix {
    group_id = alkira_group.prod.id
    prefix_list_id = -1
  }
}
resource "alkira_segment_resource" "b" {
  name = "b"
  segment_id = alkira_segment.dmz.id
  group_prefix {
    group_id = -1
    prefix_list_id = -1
  }
}
resource "alkira_segment_resource_share" "s" {
  name = "s"
  designated_segment_id = alkira_segment.corp.id
  service_ids = [-1]
  end_a_segment_resource_ids = [alkira_segment_resource.a.id]
  end_b_segment_resource_ids = [alkira_segment_resource.b.id]
  traffic_direction = "UNIDIRECTIONAL"
  traffic_from_end = "END_A"
}
resource "alkira_service_pan" "fw" { name = "fw" }

"""A made-up cloud, written by the recipe of provisioning/drivers/README.md; test_adding_a_cloud.py registers it."""

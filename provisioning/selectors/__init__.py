"""What can be read of a network, in the shapes pages and the API show."""

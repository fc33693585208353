"""The portal's pages: one module for each, a line in urls.py and, if the menu lists it, a line in nav.py."""

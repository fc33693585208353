"""The portal's pages: one module a page, one line in urls.py and, where it belongs there, one in nav.py."""

"""Ordered queries: what a change costs, beside computing them anew."""

"""Stacks and goroutines of programs that mix Go and C, as Python objects."""

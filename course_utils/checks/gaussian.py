"""Checks of exercise 01: Gaussian maximum likelihood and sampling."""

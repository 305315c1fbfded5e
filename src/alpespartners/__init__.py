"""Alpes Partners: módulos de la plataforma de marketing de afiliación."""

__version__ = "0.1.0"

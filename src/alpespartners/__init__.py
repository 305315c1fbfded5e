"""Alpes Partners: módulos de la plataforma de marketing de afiliación."""

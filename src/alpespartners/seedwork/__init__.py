"""Núcleo común: piezas técnicas que no saben de ningún módulo ni de la configuración."""

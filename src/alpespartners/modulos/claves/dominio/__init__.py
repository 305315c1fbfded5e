"""Qué es una clave y cuándo vale. Solo importa la biblioteca estándar."""

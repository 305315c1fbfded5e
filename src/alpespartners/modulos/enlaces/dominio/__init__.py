"""Qué es un enlace, qué destino vale y qué clic es legítimo. Solo importa la biblioteca estándar."""

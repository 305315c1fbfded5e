"""Dominio: las reglas de una impresión y una conversión. Solo biblioteca estándar."""

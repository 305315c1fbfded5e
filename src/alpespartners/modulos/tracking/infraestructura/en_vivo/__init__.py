"""Leer los tópicos de eventos para quien los mira en vivo."""

"""Aplicación: qué pasa cuando llega un comando o una consulta. No conoce Pulsar, SQL ni configuración."""

"""Lo que mira quien opera el servicio o lo integra: salud, métricas y documentación."""

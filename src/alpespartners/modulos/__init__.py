"""Módulos de negocio. Se encuentran solo por tópicos y esquemas versionados."""

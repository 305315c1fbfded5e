"""Dónde y cómo se cuentan los informes, en SQL."""

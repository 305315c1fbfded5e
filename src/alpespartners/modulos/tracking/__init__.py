"""Tracking: registra impresiones y conversiones de campañas."""

"""Crear y cambiar enlaces, y tenerlos a mano donde se redirige."""

"""Llevar eventos de un libro a un archivo, y de un archivo a un servicio en marcha.

Qué es: lo que hacen `alpespartners exportar` y `alpespartners importar`, que siguen donde estaban si mueren.
Qué no es: una copia de seguridad: lo que pone el servidor (cuándo se recibió, qué comando lo registró) se
exporta y no se importa.
Por qué existe: quien analiza quiere un archivo, y quien llega de otro sitio trae uno.
"""

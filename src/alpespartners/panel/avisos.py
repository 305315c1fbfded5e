"""Qué se cambió de lo que alguien envió, y por qué: una frase por cada advertencia con que se registró.

Qué es: las advertencias que pone el servicio, contadas a una persona.
Qué no es: la lista de las que puede haber: quien publica sin pasar por la API escribe las que quiere, y esas
se enseñan como vinieron.
Por qué existe: una venta registrada sin su instante está bien registrada, y quien la mira tiene que saber por
qué no lo lleva.

Están en español; su traducción, en `idiomas/en/avisos.json`.
"""

from collections.abc import Mapping
from typing import Final

AVISOS: Final[Mapping[str, str]] = {
    "advertencias_de_mas": "Hubo más advertencias de las que se guardan.",
    "campo_desconocido": "El campo no se conoce, y pasó a las propiedades:",
    "clic_id_ilegible": "Lo que decía de qué clic viene no puede ser uno; si era un texto, quedó en la "
    "propiedad clic_id_recibido.",
    "id_asignado": "Llegó sin id, y se le asignó uno: enviarlo otra vez lo contaría dos veces.",
    "id_derivado": "Llegó sin id, y el suyo sale de lo que dice: enviarlo otra vez no lo cuenta dos veces.",
    "ip_ilegible": "La dirección IP no se entendía, y no se guardó.",
    "ip_reparada": "A la dirección IP se le quitó lo que la rodeaba (puerto, espacios u otras direcciones).",
    "macro_sin_reemplazar": "La red no reemplazó la macro de este parámetro, y quedó entre las propiedades:",
    "propiedad_recortada": "La propiedad era demasiado larga, y se recortó:",
    "propiedad_reparada": "La propiedad llevaba caracteres que no se pueden guardar, y se sustituyeron:",
    "propiedad_repetida": "Dos propiedades se llamaban igual, y a una se le dio otro nombre:",
    "propiedad_sustituida": "El servicio necesitaba el nombre de una propiedad, y lo que decía se quitó:",
    "propiedades_de_mas": "Había más propiedades de las que caben, y se quitaron estas:",
    "propiedades_reparadas": "Las propiedades no venían como un objeto, y se guardaron como un texto.",
    "quiso_decir": "El nombre que más se parece al desconocido es:",
    "recibido_en_sustituido": "No se dijo cuándo se recibió, o no se podía creer: es la hora del broker.",
    "referrer_ilegible": "La procedencia no era una dirección, y no se guardó.",
    "referrer_reparado": "La procedencia se arregló: sin contraseñas, con su https o más corta.",
    "reloj_adelantado": "El reloj de quien lo envió va adelantado: cuenta por la hora en que se recibió.",
    "reloj_sin_corregir": "Su reloj dista demasiado de la hora, y su instante se dejó como vino.",
    "timestamp_fuera_de_rango": "Su instante no se podía creer, y cuenta por la hora en que se recibió. El "
    "que venía quedó en la propiedad timestamp_recibido.",
    "user_agent_ilegible": "El navegador no venía como un texto, y no se guardó.",
    "user_agent_recortado": "El navegador era demasiado largo, y se recortó.",
    "user_agent_reparado": "El navegador llevaba caracteres que no se pueden guardar, y se sustituyeron.",
}
"""La frase de cada código; la que acaba en dos puntos va seguida de lo que nombra la advertencia."""

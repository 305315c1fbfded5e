"""Qué tiene que cambiar quien envió lo que no se registró: una frase por cada motivo.

Qué es: de cada código con que algo se rechaza o se ignora, cómo se llama para una persona y cuál es la
enmienda.
Qué no es: el detalle de un rechazo concreto, con sus campos y sus límites, que lo da quien lo juzgó.
Por qué existe: «moneda_desconocida» le dice a un programa qué pasó; a quien reclama su venta hay que decirle
qué hacer.

Están en español; su traducción, en `idiomas/en/remedios.json`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from alpespartners.modulos.tracking.aplicacion.codigos import (
    CodigoDeAlmacenamiento,
    CodigoDeAntes,
    CodigoDePeticion,
)
from alpespartners.modulos.tracking.dominio.destinos import MotivoDeIgnorar
from alpespartners.modulos.tracking.dominio.excepciones import Codigo, CodigoDeFalta


@dataclass(frozen=True, slots=True)
class Remedio:
    """Un motivo contado a una persona.

    Attributes:
        nombre: cómo se llama.
        enmienda: qué cambiar, o qué hacer.
    """

    nombre: str
    enmienda: str


_HOY_VALE: Final = (
    "Envíelo otra vez, con el mismo id: lo rechazó una versión anterior, y la de hoy lo registra."
)

REMEDIOS: Final[Mapping[CodigoDeFalta | MotivoDeIgnorar, Remedio]] = {
    Codigo.REQUERIDO: Remedio("Falta un dato obligatorio", "Envíe el campo que falta, con su valor."),
    Codigo.LONGITUD_EXCEDIDA: Remedio(
        "Un dato es demasiado largo", "Acorte ese campo hasta el límite que dice el detalle."
    ),
    Codigo.CARACTER_DE_CONTROL: Remedio(
        "Un dato lleva un carácter de control",
        "Quite de ese campo los saltos de línea, los tabuladores y los demás caracteres de control.",
    ),
    Codigo.ESPACIO_EN_LOS_EXTREMOS: Remedio(
        "Un dato empieza o termina con un espacio", "Quite los espacios del principio y del final."
    ),
    Codigo.SUSTITUTO_SUELTO: Remedio(
        "Un dato lleva medio carácter",
        "Envíe el texto entero y en UTF-8: alguien lo cortó por la mitad de un carácter.",
    ),
    Codigo.ID_NO_DIRECCIONABLE: Remedio(
        "El id no cabe en una dirección", "Use un id que no sea un punto ni dos puntos seguidos."
    ),
    Codigo.VALOR_NO_PERMITIDO: Remedio(
        "Un valor no es de los que se admiten", "Use uno de los valores que enumera el detalle."
    ),
    Codigo.VALOR_ILEGIBLE: Remedio(
        "El importe no se entiende",
        "Escriba el importe con cifras y, si tiene decimales, un punto: 150000 o 150000.50.",
    ),
    Codigo.VALOR_NEGATIVO: Remedio(
        "El importe es negativo",
        "Envíe un importe de cero o más. Una venta no se revierte con otra negativa: descuéntela al pagar, "
        "por su id.",
    ),
    Codigo.VALOR_DEMASIADO_GRANDE: Remedio(
        "El importe es demasiado grande", "Revise el importe: no puede tener más de 14 dígitos enteros."
    ),
    Codigo.DEMASIADOS_DECIMALES: Remedio(
        "Al importe le sobran decimales", "Redondee el importe a los decimales que tiene su moneda."
    ),
    Codigo.MONEDA_DESCONOCIDA: Remedio(
        "La moneda no existe, o ya no existía",
        "Use el código de ISO 4217 que valía el día en que ocurrió, como COP, USD o EUR.",
    ),
    Codigo.TIMESTAMP_ILEGIBLE: Remedio(
        "El instante no se entiende", "Escriba el instante con su zona, como 2024-01-15T10:30:00Z."
    ),
    Codigo.CAMPO_REPETIDO: Remedio(
        "Un campo viene dos veces y no dice lo mismo",
        "Envíelo una sola vez, o con el mismo valor en las dos.",
    ),
    Codigo.CONFLICTO_DE_ID: Remedio(
        "El id ya es de otro evento",
        "Si es otro evento, envíelo con un id propio: anteponga algo suyo, como tienda-1001. Si es el "
        "mismo, no hay que enviar nada: quedó registrado lo que llegó primero.",
    ),
    CodigoDePeticion.TIPO_INCORRECTO: Remedio(
        "Un dato no es del tipo debido",
        "Envíe ese campo como un texto; el importe, como un número o un texto numérico.",
    ),
    CodigoDePeticion.VALOR_AMBIGUO: Remedio(
        "El importe se lee de dos maneras",
        "Escriba el importe sin separar los millares: 150000, o 150.00 si son ciento cincuenta.",
    ),
    CodigoDePeticion.CAMPO_RESERVADO: Remedio(
        "Un campo lo pone el servicio", "Quite ese campo de lo que envía."
    ),
    CodigoDePeticion.CAMPO_DESCONOCIDO: Remedio(
        "Un campo no se conoce", "Corrija el nombre del campo: el detalle propone el que se le parece."
    ),
    CodigoDePeticion.CARACTER_INVISIBLE: Remedio(
        "Un dato lleva un carácter que no se ve",
        "Escriba ese campo a mano, o quite el carácter que dice el detalle: suele venir al copiar y pegar.",
    ),
    CodigoDePeticion.CABECERA_ILEGIBLE: Remedio(
        "Una cabecera no se entiende", "Corrija la cabecera, o no la envíe."
    ),
    CodigoDePeticion.CABECERA_NO_ADMITIDA: Remedio(
        "Una cabecera no se admite ahí", "Quite la cabecera de esa petición."
    ),
    CodigoDePeticion.ELEMENTO_ILEGIBLE: Remedio(
        "Un elemento del lote no se entiende", "Envíe cada evento del lote como un objeto JSON."
    ),
    CodigoDePeticion.ELEMENTO_DEMASIADO_GRANDE: Remedio(
        "Un elemento del lote es demasiado grande", "Envíe ese evento con menos propiedades, o más cortas."
    ),
    CodigoDePeticion.PARAMETRO_DESCONOCIDO: Remedio(
        "Un parámetro no se conoce", "Corrija el nombre del parámetro, o quítelo."
    ),
    CodigoDePeticion.PARAMETRO_INVALIDO: Remedio(
        "Un parámetro no vale", "Use un valor de los que dice el detalle."
    ),
    CodigoDePeticion.CURSOR_INVALIDO: Remedio(
        "El cursor es de otra lista", "Empiece la lista otra vez, sin cursor y con los mismos filtros."
    ),
    CodigoDePeticion.SIN_RESPUESTA_EXACTA: Remedio(
        "Lo que se pregunta no tiene una respuesta exacta", "Pida el intervalo que propone el detalle."
    ),
    CodigoDePeticion.SIN_PERMISO: Remedio(
        "La clave no vale para esa campaña",
        "Envíelo con una clave de esa campaña, o pida a quien lleva las claves que haga una.",
    ),
    CodigoDePeticion.MACRO_SIN_REEMPLAZAR: Remedio(
        "La red no reemplazó una macro",
        "Corrija en la red la dirección del postback: el parámetro que dice el detalle lleva el nombre de "
        "una macro que ella no conoce.",
    ),
    CodigoDeAlmacenamiento.RECHAZADA_POR_LA_BASE_DE_DATOS: Remedio(
        "La base de datos no admite los datos",
        "Avise a quien opera el servicio y dele el comando: los datos cumplen las reglas, y no se pudieron "
        "guardar.",
    ),
    CodigoDeAntes.DEMASIADAS_PROPIEDADES: Remedio("Hay demasiadas propiedades", _HOY_VALE),
    CodigoDeAntes.TIMESTAMP_DEMASIADO_ANTIGUO: Remedio("El instante es demasiado antiguo", _HOY_VALE),
    CodigoDeAntes.TIMESTAMP_EN_EL_FUTURO: Remedio("El instante está en el futuro", _HOY_VALE),
    MotivoDeIgnorar.SIN_CORRESPONDENCIA: Remedio(
        "No es ni una impresión ni una conversión",
        "Si no debía contarse, no hay nada que cambiar. Si debía, envíelo con uno de los nombres de suceso "
        "que el servicio reconoce en ese protocolo.",
    ),
    MotivoDeIgnorar.SIN_CAMPAÑA: Remedio(
        "No dice de qué campaña es",
        "Ponga la campaña en cada suceso, o envíelos con una clave hecha para esa sola campaña.",
    ),
    MotivoDeIgnorar.DEMASIADO_GRANDE: Remedio(
        "Es más grande de lo que cabe", "Envíe ese suceso con menos propiedades, o más cortas."
    ),
    MotivoDeIgnorar.ESTADO_QUE_NO_CUENTA: Remedio(
        "Su estado no es el de una conversión",
        "Si espera o se rechazó, no hay nada que cambiar: al aprobarse llegará otro aviso. Si ya lo es, "
        "ponga en la dirección del postback qué es ese estado, como estados=paid:VENTA.",
    ),
    MotivoDeIgnorar.OTRO: Remedio(
        "Lo ignoró quien lo publicó, por un motivo que aquí no se conoce",
        "Actualice el servicio: el motivo es de una versión posterior.",
    ),
}
"""El de cada motivo de un rechazo, o de lo ignorado."""

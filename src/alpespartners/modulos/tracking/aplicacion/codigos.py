"""Códigos de falta que el dominio no conoce: la forma de una petición, y lo que una base de datos no admite.

Por qué existe: una regla del dominio no sabe de JSON, de parámetros ni de SQL, y aun así quien envió un
evento debe leer por qué no vale con un código estable, venga la falta de donde venga.
"""

from itertools import chain
from typing import Final

from alpespartners.modulos.tracking.dominio.destinos import MotivoDeIgnorar
from alpespartners.modulos.tracking.dominio.excepciones import Codigo, CodigoDeFalta


class CodigoDePeticion(CodigoDeFalta):
    """Las faltas a la forma de lo que se envía o se pregunta."""

    TIPO_INCORRECTO = "tipo_incorrecto"
    VALOR_AMBIGUO = "valor_ambiguo"
    CAMPO_RESERVADO = "campo_reservado"
    CAMPO_DESCONOCIDO = "campo_desconocido"
    CARACTER_INVISIBLE = "caracter_invisible"
    CABECERA_ILEGIBLE = "cabecera_ilegible"
    CABECERA_NO_ADMITIDA = "cabecera_no_admitida"
    ELEMENTO_ILEGIBLE = "elemento_ilegible"
    ELEMENTO_DEMASIADO_GRANDE = "elemento_demasiado_grande"
    PARAMETRO_DESCONOCIDO = "parametro_desconocido"
    PARAMETRO_INVALIDO = "parametro_invalido"
    CURSOR_INVALIDO = "cursor_invalido"
    SIN_RESPUESTA_EXACTA = "sin_respuesta_exacta"
    SIN_PERMISO = "sin_permiso"
    MACRO_SIN_REEMPLAZAR = "macro_sin_reemplazar"


class CodigoDeAlmacenamiento(CodigoDeFalta):
    """Por qué no se pudo guardar lo que el dominio admite."""

    RECHAZADA_POR_LA_BASE_DE_DATOS = "rechazada_por_la_base_de_datos"


class CodigoDeAntes(CodigoDeFalta):
    """Los que ya no se dan, y llevan los rechazos que guardó una versión anterior."""

    DEMASIADAS_PROPIEDADES = "demasiadas_propiedades"
    TIMESTAMP_DEMASIADO_ANTIGUO = "timestamp_demasiado_antiguo"
    TIMESTAMP_EN_EL_FUTURO = "timestamp_en_el_futuro"


_DE_UN_CUERPO: Final = (
    CodigoDePeticion.TIPO_INCORRECTO,
    CodigoDePeticion.VALOR_AMBIGUO,
    CodigoDePeticion.CAMPO_DESCONOCIDO,
    CodigoDePeticion.CARACTER_INVISIBLE,
    CodigoDePeticion.ELEMENTO_ILEGIBLE,
    CodigoDePeticion.SIN_PERMISO,
    CodigoDePeticion.MACRO_SIN_REEMPLAZAR,
)

MOTIVOS: Final = {
    codigo.value: codigo
    for codigo in chain[CodigoDeFalta](Codigo, CodigoDeAlmacenamiento, CodigoDeAntes, _DE_UN_CUERPO)
}
"""Los que puede tener un rechazo, por lo que se escribe de ellos.

Un comando ya no tiene forma que juzgar, pero uno negado (`negados.py`) trae lo que se juzgó de un cuerpo.
"""

MOTIVOS_DE_IGNORAR: Final = {motivo.value: motivo for motivo in MotivoDeIgnorar}
"""Los que puede tener lo ignorado; ninguno lo es también de un rechazo."""

CODIGOS: Final = MOTIVOS | {codigo.value: codigo for codigo in CodigoDePeticion}
"""Todos, por lo que se escribe de ellos en una respuesta o en una fila."""

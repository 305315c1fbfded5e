"""Una clase de evento se describe una vez: quién nombra a una en particular, y por qué."""

import re

import pytest

from tests.apoyo.repositorio import PAQUETE

_POR_QUE = {
    "modulos/tracking/aplicacion/clases.py": "el descriptor",
    "modulos/tracking/aplicacion/topicos.py": "los tópicos de la semilla",
    "modulos/tracking/aplicacion/dto.py": "la forma de cada petición",
    "modulos/tracking/aplicacion/comandos/__init__.py": "los comandos de la semilla",
    "modulos/tracking/aplicacion/comandos/registrar_conversion.py": "un comando de la semilla",
    "modulos/tracking/infraestructura/libro/tablas.py": "las columnas propias de cada tabla",
    "modulos/informes/infraestructura/proyeccion.py": "solo una conversión tiene importe y cupón que contar",
    "cli/__init__.py": "la frase que dice qué es el producto",
    "cli/tabla_de_informe.py": "las columnas de un informe que se enseñan",
    "cli/clase.py": "los nombres que se escriben en una orden",
    "medicion/eventos.py": "la proporción de cada una al medir",
    "panel/vistas/influencer.py": "sus últimas conversiones",
    "siembra/audiencias.py": "qué se consigue en cada campaña inventada",
    "siembra/visitas.py": "qué hace cada visita inventada",
    "api/operacion/openapi.py": "la frase que dice qué es el producto",
    "api/captura/dialectos/tabla.py": "cuál es cada suceso de los protocolos de otros",
    "api/captura/postback/tabla.py": "de qué parámetro de una red sale cada campo de una",
    "api/captura/postback/estados.py": "de qué tipo es la de cada estado de una red",
    "api/captura/postback/traduccion.py": "lo que avisa una red, que siempre es una",
    "api/aplicacion.py": "la ruta del clic de una",
    "api/enlaces/clic.py": "de qué clic viene una",
    "api/captura/navegador/pixel.py": "los nombres cortos de sus campos",
    "api/tracking/ejemplos.py": "los ejemplos de la semilla",
    "api/tracking/conversiones.py": "cómo se envía y cómo se lee una por HTTP",
    "api/informes/presentacion.py": "las métricas de un informe",
    "api/informes/presentacion_de_listas.py": "lo que hubo de cada uno en una lista",
    "api/tracking/rutas.py": "las clases que tienen rutas",
    "modulos/informes/aplicacion/orden.py": "una cifra por la que se ordena",
    "modulos/informes/infraestructura/mayores.py": "cuánto tiene un grupo de esa cifra",
    "panel/desglose.py": "las cifras por las que se ordena",
    "panel/pedidas.py": "el orden que no se pide",
    "panel/embudo.py": "el último escalón",
    "panel/vistas/campana.py": "lo que se descarga de una campaña",
}
"""Los módulos que nombran a las conversiones en su código, fuera del dominio: cada uno, con su razón."""

_NOMBRE = re.compile("conversion", re.IGNORECASE)
_DOCSTRING_O_COMENTARIO = re.compile(r'"""(?:[^"\\]|\\.|"(?!""))*"""|#.*')


def _nombran() -> set[str]:
    return {
        str(ruta.relative_to(PAQUETE))
        for ruta in PAQUETE.rglob("*.py")
        # Las migraciones dicen lo que se cambió entonces, y no se tocan.
        if not {"dominio", "versions"}.intersection(ruta.parts)
        if _NOMBRE.search(_DOCSTRING_O_COMENTARIO.sub("", ruta.read_text(encoding="utf-8")))
    }


def test_solo_nombran_a_una_clase_de_evento_los_modulos_que_la_describen() -> None:
    assert _nombran() - _POR_QUE.keys() == set()


@pytest.mark.parametrize("modulo", _POR_QUE)
def test_ninguna_razon_sobra(modulo: str) -> None:
    assert modulo in _nombran()

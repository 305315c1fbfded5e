"""`POST /tracking/captura`: lo que envía el guion de una página, con lo que un navegador le deja enviar.

Qué es: de un evento o una lista, en JSON aunque se diga que es texto, al resultado de cada uno; y las
cabeceras con que el navegador deja a la página leerlo (CORS, Fetch §3.2).
Qué no es: un lote (`lotes.py`): cabe lo que cabe en `sendBeacon`, y la falta de un evento no se le dice solo
a la página, que se habrá cerrado: consta en su destino.
Por qué existe: `text/plain` no necesita permiso previo, y así llega también lo que se envía al salir.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from alpespartners.api.captura.navegador.entrada import CLAVE, entrada_de_pagina
from alpespartners.api.captura.navegador.puerta import Puerta, origen_dicho
from alpespartners.api.captura.resultados import (
    Elemento,
    ElementoAceptado,
    LoteRecibido,
    contado,
    decidido,
    resultado,
)
from alpespartners.api.http.acceso import cobrar
from alpespartners.api.http.claves import permiso_de
from alpespartners.api.http.cuerpo import leer_cuerpo
from alpespartners.api.http.limites import LimitesDeCuerpo
from alpespartners.api.http.parametros import sin_parametros
from alpespartners.api.http.problemas import SEGUNDOS_PARA_REINTENTAR, ErrorHTTP, error_de
from alpespartners.api.http.respuestas import RespuestaJSON
from alpespartners.api.http.rutas import Ruta
from alpespartners.api.http.tipos_de_medio import JSON
from alpespartners.api.http.traza import traza_de
from alpespartners.api.http.visitante import Visitante
from alpespartners.modulos.tracking.aplicacion.codigos import CodigoDePeticion
from alpespartners.modulos.tracking.aplicacion.negados import destino_de_negado
from alpespartners.modulos.tracking.aplicacion.recepcion import Aceptada, Entrada, NoValida, Recepcion, Suerte
from alpespartners.modulos.tracking.dominio.excepciones import DatosInvalidos, Fallo
from alpespartners.seedwork.json_estricto import JsonIlegible, leer_json

RUTA: Final = "/tracking/captura"
ELEMENTOS_MAXIMOS: Final = 100
LIMITES: Final = LimitesDeCuerpo(octetos=64 * 1024, comprimidos=64 * 1024, tipos=("text/plain", JSON))
"""Los octetos que admite `sendBeacon` (Beacon §3.2, que se los da a Fetch)."""

_SEGUNDOS_DE_UN_PERMISO: Final = 7_200
"""Más no los recuerda ningún navegador."""
_SEGUN_EL_ORIGEN: Final = {"Vary": "Origin"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Captura:
    """El punto de la captura: desde dónde se entra, quién recibe los eventos y cuánto se espera al cuerpo."""

    puerta: Puerta
    recepcion: Recepcion
    segundos_de_cuerpo: float

    def rutas(self) -> list[Ruta]:
        """La suya, y la del permiso previo."""
        return [
            Ruta(plantilla=RUTA, metodo="POST", atencion=self._atender, alcance=None),
            Ruta(plantilla=RUTA, metodo="OPTIONS", atencion=self._dar_permiso, alcance=None),
        ]

    async def _atender(self, peticion: Request) -> Response:
        origen = origen_dicho(peticion)
        try:
            respuesta = await self._recibir(peticion, origen)
        except (ErrorHTTP, DatosInvalidos, JsonIlegible) as fallo:
            respuesta = error_de(fallo).respuesta()
        respuesta.headers.update(self._para_la_pagina(origen))
        return respuesta

    async def _dar_permiso(self, peticion: Request) -> Response:
        origen = origen_dicho(peticion)
        try:
            self.puerta.visitante(peticion)
            self.puerta.exigir_origen(origen)
        except ErrorHTTP as fallo:
            respuesta = fallo.respuesta()
            respuesta.headers.update(_SEGUN_EL_ORIGEN)
            return respuesta
        return Response(
            status_code=HTTPStatus.NO_CONTENT,
            headers={
                **self._para_la_pagina(origen),
                "Access-Control-Allow-Methods": "POST",
                "Access-Control-Allow-Headers": "Content-Type",
                "Access-Control-Max-Age": str(_SEGUNDOS_DE_UN_PERMISO),
            },
        )

    def _para_la_pagina(self, origen: str | None) -> Mapping[str, str]:
        """Lo que deja a una página registrada leer la respuesta; nunca con credenciales."""
        if origen is None or not self.puerta.admite_origen(origen):
            return _SEGUN_EL_ORIGEN
        return {
            **_SEGUN_EL_ORIGEN,
            "Access-Control-Allow-Origin": origen,
            "Access-Control-Expose-Headers": "Retry-After",
        }

    async def _recibir(self, peticion: Request, dicho: str | None) -> Response:
        visitante = self.puerta.visitante(peticion)
        # A quien no viene de ninguna página registrada no se le lee el cuerpo.
        origen = self.puerta.exigir_origen(dicho)
        sin_parametros(peticion)
        octetos = await leer_cuerpo(peticion, self.segundos_de_cuerpo, LIMITES)
        eventos = _eventos(leer_json(octetos))
        clave = eventos[0].get(CLAVE) if isinstance(eventos[0], dict) else None
        self.puerta.admitir(peticion, clave, origen)
        cobrar(peticion, len(eventos), len(octetos))
        suertes = await self.recepcion.recibir(
            _entradas(eventos, clave, visitante), traza=traza_de(peticion), permiso=permiso_de(peticion)
        )
        return _respuesta([_contado(indice, suerte) for indice, suerte in enumerate(suertes)])


def _eventos(leido: object) -> Sequence[object]:
    """Los que trae un cuerpo.

    Raises:
        DatosInvalidos: no es un objeto ni una lista de 1 a `ELEMENTOS_MAXIMOS`.
    """
    eventos = leido if isinstance(leido, list) else [leido]
    if not eventos or len(eventos) > ELEMENTOS_MAXIMOS or not isinstance(leido, dict | list):
        frase = f"debe ser un objeto JSON, o una lista de 1 a {ELEMENTOS_MAXIMOS}"
        raise DatosInvalidos([Fallo("", CodigoDePeticion.TIPO_INCORRECTO, frase)])
    return eventos


def _entradas(eventos: Sequence[object], clave: object, visitante: Visitante) -> Iterator[Entrada | NoValida]:
    for evento in eventos:
        if not isinstance(evento, dict):
            yield NoValida([Fallo("", CodigoDePeticion.TIPO_INCORRECTO, "debe ser un objeto JSON")])
        elif evento.get(CLAVE) != clave:
            frase = "no es la del primero: lo de otra clave va en otra petición"
            yield NoValida([Fallo(CLAVE, CodigoDePeticion.SIN_PERMISO, frase)])
        else:
            yield entrada_de_pagina(evento, visitante)


def _contado(indice: int, suerte: Suerte) -> Elemento:
    """Su resultado; el del que se publicó para que conste que no vale, con sus faltas."""
    elemento = resultado(indice, suerte)
    if not isinstance(suerte, Aceptada) or not isinstance(elemento, ElementoAceptado):
        return elemento
    negado = destino_de_negado(suerte.comando)
    return elemento if negado is None else decidido(elemento, negado, None)


def _respuesta(elementos: Sequence[Elemento]) -> Response:
    """202 con cada resultado; 503, con lo mismo, si el broker no confirmó ninguno."""
    recibido = LoteRecibido(**contado(elementos))
    if recibido.sin_confirmar == len(elementos):
        cabeceras = {"Retry-After": str(SEGUNDOS_PARA_REINTENTAR)}
        return RespuestaJSON(recibido, HTTPStatus.SERVICE_UNAVAILABLE, cabeceras)
    return RespuestaJSON(recibido, HTTPStatus.ACCEPTED)

"""`POST /tracking/lotes`: muchos eventos en una petición, con un resultado por cada uno.

Qué es: de una lista JSON, o de un JSON por línea, a qué fue de cada elemento; se publican según llegan.
Qué no es: una transacción; un elemento que no vale no estorba a los demás, y si el cuerpo se corta, lo que
llegó antes vale.
Por qué existe: un programa que tiene mil eventos los envía de una vez, y sabe de cada uno qué fue.
"""

import asyncio
from collections.abc import Mapping
from contextlib import ExitStack, aclosing
from dataclasses import dataclass
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from alpespartners.api.captura.resultados import (
    LoteInterrumpido,
    LoteRecibido,
    contado,
    decidido,
    respuesta_de_lote,
)
from alpespartners.api.captura.tandas import (
    OCTETOS_DE_UN_ELEMENTO,
    SIGNOS_DE_UN_ELEMENTO,
    Leer,
    Recibir,
    Tandas,
    entrada_con_clase,
)
from alpespartners.api.http.acceso import cobrar
from alpespartners.api.http.cabeceras import cabeceras_de
from alpespartners.api.http.clave_de_idempotencia import CABECERA
from alpespartners.api.http.claves import Alcance, permiso_de
from alpespartners.api.http.cuerpo import (
    SEGUNDOS_MAXIMOS,
    VECES_COMPRIMIDO,
    demasiado_comprimido,
    demasiado_grande,
    demasiado_lento,
    gzip_ilegible,
)
from alpespartners.api.http.cuerpo_por_trozos import trozos_del_cuerpo
from alpespartners.api.http.descripcion import Contestacion, CuerpoPedido, Esquema, Etiqueta, Operacion
from alpespartners.api.http.espera import en_el_plazo
from alpespartners.api.http.limites import DE_UN_EVENTO, LimitesDeCuerpo
from alpespartners.api.http.parametros import leer_parametros
from alpespartners.api.http.preferencias import Preferencias, preferencias, preferencias_aplicadas
from alpespartners.api.http.problemas import (
    REINTENTO,
    ErrorHTTP,
    contestacion_de_error,
    datos_invalidos,
    error_de,
)
from alpespartners.api.http.respuestas import en_json
from alpespartners.api.http.rutas import RutaDescrita
from alpespartners.api.http.tipos_de_medio import JSON, NDJSON
from alpespartners.api.http.traza import traza_de
from alpespartners.api.tracking.clases import ClaseHTTP
from alpespartners.api.tracking.envios import PREFER
from alpespartners.api.tracking.rutas import clase_en_http
from alpespartners.modulos.tracking.aplicacion.clases import CLASES
from alpespartners.modulos.tracking.aplicacion.codigos import CodigoDePeticion
from alpespartners.modulos.tracking.aplicacion.esperas import Esperas
from alpespartners.modulos.tracking.aplicacion.recepcion import Recepcion
from alpespartners.modulos.tracking.dominio.excepciones import Codigo, Fallo, Recolector
from alpespartners.seedwork.json_estricto import JsonIlegible
from alpespartners.seedwork.json_por_partes import AnidaDeMas, DeUnaLista, PorLineas, Separador

RUTA: Final = "/tracking/lotes"
ELEMENTOS_MAXIMOS: Final = 1_000
LIMITES: Final = LimitesDeCuerpo(octetos=5 * 1024 * 1024, comprimidos=1024 * 1024, tipos=(JSON, NDJSON))
SIGNOS_DE_UN_LOTE: Final = 26 * SIGNOS_DE_UN_ELEMENTO
"""Comas, dos puntos y aperturas tras las que no se lee otro elemento: medio segundo más de lo corriente.

Son uno de cada seis octetos del cuerpo mayor; mil pedidos de cien artículos llevan menos.
"""
SIGNOS_SUELTOS: Final = 8 * SIGNOS_DE_UN_ELEMENTO
"""Los que se miran de uno en uno para cortar una lista: un cuarto de segundo."""

_CABECERA_CRUDA: Final = CABECERA.lower().encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Lotes:
    """El punto de los lotes: quién recibe los eventos, dónde se espera su destino y cuánto al cuerpo."""

    recepcion: Recepcion
    esperas: Esperas
    segundos_de_cuerpo: float

    def ruta(self) -> RutaDescrita:
        """La suya."""
        return RutaDescrita(
            plantilla=RUTA,
            metodo="POST",
            atencion=self._atender,
            alcance=Alcance.CAPTURA,
            operacion=OPERACION,
        )

    async def _atender(self, peticion: Request) -> Response:
        return await self.recibir(peticion, LIMITES, entrada_con_clase)

    async def recibir(
        self, peticion: Request, limites: LimitesDeCuerpo, leer: Leer, *, puede_ir_vacio: bool = False
    ) -> Response:
        """La respuesta a un lote.

        Args:
            peticion: la que lo trae.
            limites: de qué tipos puede ser y cuánto puede medir.
            leer: de un elemento, leído ya su JSON, a su entrada.
            puede_ir_vacio: si uno sin elementos no es una falta.

        Raises:
            ErrorHTTP: el cuerpo no se pudo leer entero, o la petición lleva lo que un lote no.
            ClientDisconnect: el cliente se fue.
        """
        preferidas = preferencias(cabeceras_de(peticion).get(b"prefer", ()))
        _exigir_sin_lo_de_uno(peticion, preferidas)
        tandas = Tandas(self._recibir(peticion, preferidas), leer)
        try:
            try:
                await self._leer(peticion, limites, tandas)
            except (ErrorHTTP, JsonIlegible) as fallo:
                await tandas.acabar()
                error = _demasiadas_partes() if isinstance(fallo, AnidaDeMas) else error_de(fallo)
                raise _interrumpido(error, tandas) from None
            await tandas.acabar()
        finally:
            tandas.abandonar()
            cobrar(peticion, tandas.cuantos, tandas.octetos)
        if not tandas.elementos and not puede_ir_vacio:
            raise datos_invalidos(
                [Fallo("", Codigo.REQUERIDO, "el lote está vacío: lleva al menos un evento")],
                preferidas.aplicadas(espera=False),
            )
        return await self._responder(peticion, tandas, preferidas)

    def _recibir(self, peticion: Request, preferidas: Preferencias) -> Recibir:
        """Cómo se recibe lo que viene en esa petición."""
        return lambda entradas, causas: self.recepcion.recibir(
            entradas,
            traza=traza_de(peticion),
            permiso=permiso_de(peticion),
            estricto=preferidas.rigor,
            sin_publicar=causas,
        )

    async def _leer(self, peticion: Request, limites: LimitesDeCuerpo, tandas: Tandas) -> None:
        """Lee el cuerpo hasta el final, y agrega cada elemento en cuanto está entero.

        Raises:
            ErrorHTTP: pasa de un límite, no llega a tiempo, no es el gzip que dice ser o no es de esos tipos.
            JsonIlegible: la lista está rota.
            ClientDisconnect: el cliente se fue.
        """
        separador = _separador(peticion)
        async with aclosing(trozos_del_cuerpo(peticion, self.segundos_de_cuerpo, limites)) as trozos:
            async for trozo in trozos:
                for octetos in separador.separar(trozo):
                    await _agregar(octetos, tandas)
            for octetos in separador.acabar():
                await _agregar(octetos, tandas)

    async def _responder(self, peticion: Request, tandas: Tandas, preferidas: Preferencias) -> Response:
        se_espero = preferidas.espera is not None
        if preferidas.espera and tandas.aceptados:
            se_espero = await self._esperar(peticion, tandas, preferidas.espera)
        return respuesta_de_lote(tandas.elementos, preferidas, se_espero=se_espero)

    async def _esperar(self, peticion: Request, tandas: Tandas, segundos: int) -> bool:
        """Cambia el resultado de cada aceptado por el de su destino, si se sabe en ese tiempo.

        Devuelve si se esperó a alguno: puede que ya esperen demasiados.

        Raises:
            ClientDisconnect: quien esperaba se fue.
        """
        with ExitStack() as pila:
            esperados = {}
            for aceptado, clase in tandas.aceptados:
                futuro = pila.enter_context(
                    self.esperas.apuntar(clase, aceptado.id, aceptado.comando_id, en_lote=True)
                )
                if futuro is not None:
                    esperados[aceptado.indice] = (aceptado, futuro)
            todos = asyncio.gather(*(futuro for _, futuro in esperados.values()))
            se_espero = bool(esperados) and await en_el_plazo(todos, peticion, segundos)
            for indice, (aceptado, futuro) in esperados.items():
                if futuro.done():
                    tandas.elementos[indice] = decidido(
                        aceptado, futuro.result(), permiso_de(peticion).campañas
                    )
            return se_espero


def _exigir_sin_lo_de_uno(peticion: Request, preferidas: Preferencias) -> None:
    """Comprueba que no trae parámetros, que no los hay, ni la cabecera que solo puede decir un `id`.

    Raises:
        ErrorHTTP: 422, con las dos faltas si las hay.
    """
    recolector = Recolector()
    leer_parametros(peticion.scope["query_string"], (), recolector)
    if _CABECERA_CRUDA in cabeceras_de(peticion):
        recolector.anotar(
            CABECERA,
            CodigoDePeticion.CABECERA_NO_ADMITIDA,
            "un lote no la lleva: con ella no se sabría qué elemento se repite; ponga a cada uno su id",
        )
    if recolector.fallos:
        raise datos_invalidos(recolector.fallos, preferidas.aplicadas(espera=False))


def _separador(peticion: Request) -> Separador:
    """El que corresponde al tipo de contenido; si no es ninguno de los dos, no se llega a leer nada."""
    tipo = cabeceras_de(peticion).get(b"content-type", ("",))[0]
    por_lineas = tipo.lower().lstrip(" \t").startswith(NDJSON)
    return (
        PorLineas(OCTETOS_DE_UN_ELEMENTO)
        if por_lineas
        else DeUnaLista(OCTETOS_DE_UN_ELEMENTO, SIGNOS_SUELTOS)
    )


async def _agregar(octetos: bytes | None, tandas: Tandas) -> None:
    if tandas.cuantos >= ELEMENTOS_MAXIMOS:
        raise _demasiados()
    if tandas.signos > SIGNOS_DE_UN_LOTE:
        raise _demasiadas_partes()
    await tandas.agregar(octetos)


def _interrumpido(error: ErrorHTTP, tandas: Tandas) -> ErrorHTTP:
    """El mismo error, con qué fue de lo que ya se había recibido."""
    return ErrorHTTP(
        error.estado,
        error.codigo,
        error.problema.title,
        error.problema.detail,
        cabeceras=error.cabeceras,
        forma=LoteInterrumpido,
        **contado(tandas.elementos),
    )


def _demasiados() -> ErrorHTTP:
    return ErrorHTTP(
        413,
        "demasiados_elementos",
        "Demasiados elementos",
        f"Un lote lleva como mucho {ELEMENTOS_MAXIMOS} elementos: envíe los demás en otro.",
    )


def _demasiadas_partes() -> ErrorHTTP:
    return ErrorHTTP(
        413,
        "demasiadas_partes",
        "Demasiadas partes",
        "El cuerpo lleva demasiadas comas, dos puntos, corchetes y llaves para leerlo de una vez: envíe en "
        "otro lote los elementos que no tienen resultado.",
    )


def _esquema_de_elemento(clase: ClaseHTTP) -> dict[str, object]:
    """El de un envío de esa clase, con su `clase`."""
    propio: Mapping[str, Any] = clase.cuerpo.esquema
    return {
        **propio,
        "title": f"{clase.cuerpo.nombre}DeUnLote",
        "required": ["clase", *propio["required"]],
        "properties": {"clase": {"enum": [clase.clase.nombre]}, **propio["properties"]},
    }


def _interrumpidos(estado: int, descripcion: str, *errores: ErrorHTTP) -> Contestacion:
    """Cómo se describe un error que deja a medias la lectura."""
    sin_leer = Tandas(lambda _entradas, _causas: asyncio.sleep(0, []), entrada_con_clase)
    return contestacion_de_error(
        f"{estado}_lote", descripcion, *(_interrumpido(error, sin_leer) for error in errores)
    )


_CLASES: Final = tuple(map(clase_en_http, CLASES))
_EJEMPLO: Final = [{"clase": clase.clase.nombre, **clase.cuerpo.ejemplo} for clase in _CLASES]
_ESQUEMA: Final[Esquema] = {
    "type": "array",
    "minItems": 1,
    "maxItems": ELEMENTOS_MAXIMOS,
    "items": {"oneOf": [_esquema_de_elemento(clase) for clase in _CLASES]},
}
_DESCRIPCION: Final = (
    f"De 1 a {ELEMENTOS_MAXIMOS} eventos: una lista JSON o, como `{NDJSON}`, uno por línea. Cada uno lleva "
    f"los campos que llevaría solo, que miden hasta {DE_UN_EVENTO.octetos // 1024} KiB y tienen hasta "
    f"{SIGNOS_DE_UN_ELEMENTO} comas, dos puntos, corchetes y llaves, y su `clase`. La respuesta "
    "dice qué fue de cada uno, en su orden; uno que no vale no estorba a los demás: no es una transacción."
    "\n\n"
    "Responde cuando el broker confirmó todos los que valen. De los que quedan `SIN_CONFIRMAR` no se sabe: "
    "repetir el lote entero con los mismos `id` es seguro. Ponga `id` a cada uno: el asignado a uno que no "
    "lo trae se sabe por la respuesta, y sin ella no se puede repetir. `Idempotency-Key`, que solo puede "
    "decir uno, no se admite. Dos con el mismo `id` son dos envíos: el segundo será un duplicado o un "
    "conflicto.\n\n"
    "Se publica según llega. Si el cuerpo pasa de un límite, se corta o está roto, el error trae en "
    "`resultados` qué fue de los elementos leídos hasta ahí; los demás no se recibieron.\n\n"
    "Con `Prefer: wait=N` espera hasta N segundos a saber qué fue de los aceptados: `REGISTRADA`, "
    "`DUPLICADA` o `RECHAZADA` con su `motivo`; los que no dio tiempo a saber quedan en `ACEPTADA`. Con "
    "`Prefer: handling=strict` un campo desconocido es una falta."
)
OPERACION: Final = Operacion(
    id="registrar_lote",
    etiqueta=Etiqueta("lotes", "Muchos eventos en una petición."),
    resumen="Registrar un lote",
    descripcion=_DESCRIPCION,
    parametros=(PREFER,),
    cuerpo=CuerpoPedido(
        nombre="NuevoLote",
        esquema=_ESQUEMA,
        ejemplo=_EJEMPLO,
        limites=LIMITES,
        otros_formatos={NDJSON: "".join(en_json(elemento).decode() for elemento in _EJEMPLO)},
    ),
    contestaciones={
        200: Contestacion(
            descripcion="Qué fue de cada elemento.",
            formas=(LoteRecibido,),
            cabeceras=preferencias_aplicadas(obligatoria=False),
        ),
        400: _interrumpidos(
            400,
            "La lista está rota, o el cuerpo no es el gzip que dice ser.",
            error_de(JsonIlegible("El cuerpo está vacío.")),
            gzip_ilegible(),
        ),
        408: _interrumpidos(408, "El cuerpo no llegó entero a tiempo.", demasiado_lento(SEGUNDOS_MAXIMOS)),
        413: _interrumpidos(
            413,
            f"Pasa de {LIMITES.octetos // 1024} KiB, de {LIMITES.comprimidos // 1024} KiB comprimido, de "
            f"{ELEMENTOS_MAXIMOS} elementos, de {SIGNOS_DE_UN_LOTE} comas, dos puntos, corchetes y llaves en "
            f"los leídos (o {SIGNOS_SUELTOS} en lo que más anida de una lista) o, descomprimido, de "
            f"{VECES_COMPRIMIDO} veces lo que llegó.",
            demasiado_grande(LIMITES.octetos),
            _demasiados(),
            _demasiadas_partes(),
            demasiado_comprimido(),
        ),
        503: Contestacion(
            descripcion="El broker no confirmó ninguno: repetir el lote con los mismos `id` es seguro.",
            formas=(LoteRecibido,),
            cabeceras={**REINTENTO, **preferencias_aplicadas(obligatoria=False)},
        ),
    },
)

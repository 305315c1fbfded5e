"""De un suceso de otro protocolo a uno por recibir, según la tabla de su dialecto.

Qué es: una función pura. Lo que la tabla no coloca en un campo queda entre las propiedades.
Qué no es: un juicio: si un importe no vale, o falta la moneda, lo dirá quien recibe, como a cualquiera.
Por qué existe: todo lo que llega tiene que acabar en un destino, también lo que aquí no significa nada.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import chain
from typing import Any, Final, NamedTuple
from unicodedata import normalize
from uuid import uuid5

from alpespartners.api.captura.dialectos.tabla import Correspondencia, Origenes, Tabla
from alpespartners.modulos.tracking.aplicacion.clases import IMPRESIONES
from alpespartners.modulos.tracking.aplicacion.permisos import Permiso
from alpespartners.modulos.tracking.aplicacion.recepcion import Entrada
from alpespartners.modulos.tracking.aplicacion.textos import instante_de_texto
from alpespartners.modulos.tracking.dominio.destinos import MotivoDeIgnorar
from alpespartners.modulos.tracking.dominio.excepciones import CampoInvalido
from alpespartners.modulos.tracking.dominio.objetos_valor import id_consultable
from alpespartners.seedwork.json_estricto import NumeroJson

TIMESTAMP_ORIGINAL: Final = "timestamp_original"
"""La propiedad en que queda el instante que dijo un reloj que se corrigió."""
ENVIADO_EN: Final = "sentAt"
"""La propiedad en que queda cuándo dijo quien lo envió que lo enviaba."""
LETRAS_DE_UN_ENVIADO: Final = 64
"""Lo más que mide ese texto: va en cada suceso de su envío."""
DESFASE_MAXIMO: Final = timedelta(hours=24)
"""Lo más que se corrige un reloj. Lo que se repite días después con el mismo `sentAt` no es un reloj malo."""
RELOJ_SIN_CORREGIR: Final = "reloj_sin_corregir"
"""La advertencia de que pasaba de eso, y el instante se dejó como vino."""

_COMO_NUMERO: Final = "valor"
"""El único campo que puede ser un número; a los demás, que identifican o nombran, se les lee como texto."""
LETRAS_DE_UN_CAMPO_CORTO: Final = 512
"""De un suceso demasiado grande solo quedan los campos que no miden más."""


class Enviado(NamedTuple):
    """Cuándo dice quien envía que lo hizo: lo que escribió y, si se entiende, el instante."""

    texto: str
    instante: datetime | None


def enviado_de(objeto: Mapping[str, Any], tabla: Tabla) -> Enviado | None:
    """Lo que un sobre o un suceso dicen de cuándo se enviaron; `None` si nada que se pueda guardar."""
    for nombre in tabla.enviado:
        texto = objeto.get(nombre)
        if type(texto) is str and 0 < len(texto) <= LETRAS_DE_UN_ENVIADO:
            try:
                return Enviado(texto, instante_de_texto(nombre, texto))
            except CampoInvalido:
                return Enviado(texto, None)
    return None


def entrada_de(
    suceso: object,
    tabla: Tabla,
    permiso: Permiso,
    *,
    enviado: Enviado | None,
    recibido_en: datetime,
    cabe: bool,
) -> Entrada:
    """Traduce un suceso, sea lo que sea lo que llegó en su lugar.

    Args:
        suceso: lo que se leyó.
        tabla: la de su dialecto.
        permiso: el de su clave: si es de una sola campaña, lo que no nombra ninguna es de ella.
        enviado: lo que dice el sobre de cuándo se envió; `None`, lo que diga el suceso.
        recibido_en: cuándo llegó, en UTC.
        cabe: si no mide más de lo que puede medir uno. De uno que no cabe solo queda con qué nombrarlo.
    """
    dicho: Mapping[str, Any] = suceso if isinstance(suceso, dict) else {"recibido": suceso}
    suya = _correspondencia(dicho, tabla)
    origenes = tabla.origenes if suya is None else _juntos(tabla.origenes, suya.origenes)
    campos, usadas = _campos(dicho, origenes)
    if campos.get("campaña_id") is None:
        if permiso.campañas is not None and len(permiso.campañas) == 1:
            (campos["campaña_id"],) = permiso.campañas
        else:
            supuestos, suyas = _campos(dicho, tabla.supuestos)
            campos |= supuestos
            usadas |= suyas
    clase = IMPRESIONES if suya is None else suya.clase
    tipo = {} if suya is None else {suya.clase.campo_tipo: suya.tipo}
    derivado = _id_de_respaldo(dicho, origenes, permiso)
    if not cabe:
        cortos = {n: v for n, v in campos.items() if type(v) is str and len(v) <= LETRAS_DE_UN_CAMPO_CORTO}
        return Entrada(clase, cortos | tipo, derivado, MotivoDeIgnorar.DEMASIADO_GRANDE, consta=True)
    if derivado is None and campos.get("timestamp") is not None:
        derivado = _id_derivado(dicho, tabla, campos.get("campaña_id"))
    enviado = enviado or enviado_de(dicho, tabla)
    corregido, avisos = _corregido(campos.get("timestamp"), enviado, recibido_en)
    propiedades: dict[str, object] = {} if enviado is None else {ENVIADO_EN: enviado.texto}
    if corregido is not None:
        propiedades[TIMESTAMP_ORIGINAL] = campos["timestamp"]
        campos["timestamp"] = corregido.isoformat()
    propiedades |= _resto(dicho, tabla, usadas)
    motivo = None
    if suya is None:
        motivo = MotivoDeIgnorar.SIN_CORRESPONDENCIA
    elif campos.get("campaña_id") is None:
        motivo = MotivoDeIgnorar.SIN_CAMPAÑA
    cuerpo = {**campos, "propiedades": propiedades, **tipo}
    return Entrada(clase, cuerpo, derivado, motivo, consta=True, avisos=avisos)


def _id_de_respaldo(suceso: Mapping[str, Any], origenes: Origenes, permiso: Permiso) -> str | None:
    """El primero de los suyos por el que se podría preguntar: si el que manda no vale, queda este."""
    dichos = (_texto_de(_en(suceso, ruta)) for ruta in origenes["id"])
    return next((dicho for dicho in dichos if dicho and id_consultable(permiso.prefijo + dicho)), None)


def _texto_de(valor: object) -> str | None:
    return str(valor) if isinstance(valor, str) and len(valor) <= LETRAS_DE_UN_CAMPO_CORTO else None


def _id_derivado(suceso: Mapping[str, Any], tabla: Tabla, campaña_id: object) -> str:
    """Siempre el mismo para el mismo suceso en la misma campaña, se envíe cuando se envíe."""
    propio = {nombre: valor for nombre, valor in suceso.items() if nombre not in tabla.se_callan}
    return str(uuid5(tabla.espacio, json.dumps([campaña_id, propio], sort_keys=True)))


def _correspondencia(suceso: Mapping[str, Any], tabla: Tabla) -> Correspondencia | None:
    if tabla.solo_si is not None:
        campo, valor = tabla.solo_si
        if suceso.get(campo) != valor:
            return None
    nombre = suceso.get(tabla.suceso)
    return tabla.correspondencias.get(nombre.strip().lower()) if isinstance(nombre, str) else None


def _juntos(comunes: Origenes, propios: Origenes) -> Origenes:
    return {**comunes, **{campo: (*rutas, *comunes.get(campo, ())) for campo, rutas in propios.items()}}


def _campos(suceso: Mapping[str, Any], origenes: Origenes) -> tuple[dict[str, Any], set[str]]:
    """Cada campo con lo primero que haya en sus rutas, y las rutas de que salieron."""
    campos: dict[str, Any] = {}
    usadas: set[str] = set()
    for campo, rutas in origenes.items():
        for ruta in chain.from_iterable(map(_grafias, rutas)):
            valor = _en(suceso, ruta)
            if valor is not None and valor != "":
                es_texto = isinstance(valor, NumeroJson) and campo != _COMO_NUMERO
                campos[campo] = str(valor) if es_texto else valor
                usadas.add(ruta)
                break
    return campos, usadas


def _en(suceso: object, ruta: str) -> object:
    for parte in ruta.split("."):
        suceso = suceso.get(parte) if isinstance(suceso, dict) else None
    return suceso


def _grafias(ruta: str) -> tuple[str, ...]:
    """Esa ruta, y también con la ñ descompuesta si la lleva."""
    return (ruta,) if ruta.isascii() else (ruta, normalize("NFD", ruta))


def _corregido(
    timestamp: object, enviado: Enviado | None, recibido_en: datetime
) -> tuple[datetime | None, Sequence[str]]:
    """Cuándo ocurrió según nuestro reloj, y lo que hay que advertir.

    Es lo que el suyo dice que pasó hasta enviarlo, antes de que llegara. `None` si no hay con qué corregirlo,
    según él lo envió antes de que ocurriera, o se desvía demasiado.
    """
    if enviado is None or enviado.instante is None or type(timestamp) is not str:
        return None, ()
    desfase = recibido_en - enviado.instante
    try:
        ocurrido = instante_de_texto("", timestamp)
        if ocurrido > enviado.instante:
            return None, ()
        if abs(desfase) > DESFASE_MAXIMO:
            return None, (RELOJ_SIN_CORREGIR,)
        return ocurrido + desfase, ()
    except (CampoInvalido, OverflowError):
        return None, ()


def _resto(suceso: Mapping[str, Any], tabla: Tabla, usadas: set[str]) -> dict[str, object]:
    """Lo que no está en ningún campo: delante, las propiedades del suceso con su nombre."""
    callado = usadas | tabla.se_callan
    libres = suceso.get(tabla.libres)
    fuera = {
        nombre: dict(_sin(valor, nombre, callado)) if isinstance(valor, dict) else valor
        for nombre, valor in suceso.items()
        if nombre not in callado and (nombre != tabla.libres or not isinstance(libres, dict))
    }
    if not isinstance(libres, dict):
        return fuera
    propias = _sin(libres, tabla.libres, callado)
    return {(f"{tabla.libres}.{n}" if n in fuera else n): valor for n, valor in propias} | fuera


def _sin(objeto: Mapping[str, object], ruta: str, callado: Collection[str]) -> Iterator[tuple[str, object]]:
    """Los campos de un objeto, y de los que tiene dentro, que no son ninguno de esos."""
    for nombre, valor in objeto.items():
        suya = f"{ruta}.{nombre}"
        if suya not in callado:
            yield nombre, dict(_sin(valor, suya, callado)) if isinstance(valor, dict) else valor

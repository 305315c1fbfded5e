"""De un suceso de otro protocolo a uno por recibir, según la tabla de su dialecto.

Qué es: una función pura. Lo que la tabla no coloca en un campo queda entre las propiedades.
Qué no es: un juicio: si un importe no vale, o falta la moneda, lo dirá quien recibe, como a cualquiera.
Por qué existe: todo lo que llega tiene que acabar en un destino, también lo que aquí no significa nada.
"""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from alpespartners.api.captura.dialectos.tabla import Correspondencia, Origenes, Tabla
from alpespartners.modulos.tracking.aplicacion.clases import IMPRESIONES
from alpespartners.modulos.tracking.aplicacion.permisos import Permiso
from alpespartners.modulos.tracking.aplicacion.recepcion import Entrada
from alpespartners.modulos.tracking.aplicacion.textos import instante_de_texto
from alpespartners.modulos.tracking.dominio.destinos import MotivoDeIgnorar
from alpespartners.modulos.tracking.dominio.excepciones import CampoInvalido
from alpespartners.seedwork.json_estricto import NumeroJson

TIMESTAMP_ORIGINAL: Final = "timestamp_original"
"""La propiedad en que queda el instante que dijo un reloj que se corrigió."""
ENVIADO_EN: Final = "sentAt"
"""La propiedad en que queda cuándo dijo quien lo envió que lo enviaba."""

_COMO_NUMERO: Final = "valor"
"""El único campo que puede ser un número; a los demás, que identifican o nombran, se les lee como texto."""


def entrada_de(
    suceso: object, tabla: Tabla, permiso: Permiso, *, enviado_en: object, recibido_en: datetime, cabe: bool
) -> Entrada:
    """Traduce un suceso, sea lo que sea lo que llegó en su lugar.

    Args:
        suceso: lo que se leyó.
        tabla: la de su dialecto.
        permiso: el de su clave: si es de una sola campaña, lo que no dice de cuál es de ella.
        enviado_en: cuándo lo envió, según su propio reloj; `None` si no lo dice.
        recibido_en: cuándo llegó, en UTC.
        cabe: si no mide más de lo que puede medir uno.
    """
    dicho: Mapping[str, Any] = suceso if isinstance(suceso, dict) else {"recibido": suceso}
    suya = _correspondencia(dicho, tabla)
    origenes = tabla.origenes if suya is None else _juntos(tabla.origenes, suya.origenes)
    campos, usadas = _campos(dicho, origenes)
    if campos.get("campaña_id") is None and permiso.campañas is not None and len(permiso.campañas) == 1:
        (campos["campaña_id"],) = permiso.campañas
    corregido = _corregido(campos.get("timestamp"), enviado_en, recibido_en)
    propiedades: dict[str, object] = {ENVIADO_EN: enviado_en}
    if corregido is not None:
        propiedades[TIMESTAMP_ORIGINAL] = campos["timestamp"]
        campos["timestamp"] = corregido.isoformat()
    propiedades |= _resto(dicho, tabla, usadas)
    cuerpo: dict[str, object] = {**campos, "propiedades": propiedades}
    if suya is not None:
        cuerpo[suya.clase.campo_tipo] = suya.tipo
    motivo = None
    if not cabe:
        motivo = MotivoDeIgnorar.DEMASIADO_GRANDE
    elif suya is None:
        motivo = MotivoDeIgnorar.SIN_CORRESPONDENCIA
    elif campos.get("campaña_id") is None:
        motivo = MotivoDeIgnorar.SIN_CAMPAÑA
    return Entrada(IMPRESIONES if suya is None else suya.clase, cuerpo, ignorada=motivo, consta=True)


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
        for ruta in rutas:
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


def _corregido(timestamp: object, enviado_en: object, recibido_en: datetime) -> datetime | None:
    """Cuándo ocurrió según nuestro reloj: lo que el suyo dice que pasó hasta enviarlo, antes de que llegara.

    `None` si no hay con qué corregirlo, o según él lo envió antes de que ocurriera.
    """
    try:
        ocurrido, enviado = (instante_de_texto("", t) for t in (timestamp, enviado_en) if type(t) is str)
        return ocurrido + (recibido_en - enviado) if ocurrido <= enviado else None
    except (CampoInvalido, OverflowError, ValueError):
        return None


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

"""Los comandos negados: los que se publican para que conste que no se registran, y por qué.

Qué es: de unos datos que no se pueden registrar a un comando que lo dice, y de ese comando a su destino.
Qué no es: un segundo juicio. Quien publica ya decidió, y sabe cosas que el consumidor no: qué deja hacer una
clave, qué decía el JSON. Lo negado no se registra aunque sus datos pudieran valer.
Por qué existe: hay quien envía y no lee la respuesta. Lo que se le niega tiene que poder verse después, por
el mismo `id`, como todo lo demás.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from datetime import datetime
from decimal import Decimal
from itertools import islice
from typing import Any, Final

from alpespartners.modulos.tracking.aplicacion.clases import CLASES, Clase
from alpespartners.modulos.tracking.aplicacion.codigos import MOTIVOS, MOTIVOS_DE_IGNORAR
from alpespartners.modulos.tracking.aplicacion.comandos import Comando
from alpespartners.modulos.tracking.aplicacion.mapeadores import como_texto, json_a_dto
from alpespartners.modulos.tracking.aplicacion.permisos import SIN_LIMITES, Permiso
from alpespartners.modulos.tracking.dominio.descriptivos import texto_legible
from alpespartners.modulos.tracking.dominio.destinos import Ignorada, MotivoDeIgnorar, Rechazada
from alpespartners.modulos.tracking.dominio.excepciones import (
    MAXIMO_ADVERTENCIAS,
    CampoInvalido,
    Codigo,
    DatosInvalidos,
    Fallo,
    Recolector,
)
from alpespartners.modulos.tracking.dominio.objetos_valor import id_consultable, importe_valido
from alpespartners.modulos.tracking.dominio.propiedades import nombre_legible

_LETRAS_DE_UN_CAMPO: Final = 2_048
_LETRAS_DE_UNA_FRASE: Final = 256
_PEDIDOS: Final = {"campaña_id": "campaña_pedida", "influencer_id": "influencer_pedido"}
"""De lo que dice de quién es un evento, la propiedad en que queda si no se puede enviar a esa campaña."""
_CAMPOS: Final = {
    clase: [campo.name for campo in fields(clase.dto) if campo.name != "propiedades"] for clase in CLASES
}

FRASES: Final[Mapping[MotivoDeIgnorar, str]] = {
    MotivoDeIgnorar.SIN_CORRESPONDENCIA: "su protocolo dice algo que aquí no es ni impresión ni conversión",
    MotivoDeIgnorar.SIN_CAMPAÑA: "no dice de qué campaña es, y la clave con que llegó no tiene una sola",
    MotivoDeIgnorar.DEMASIADO_GRANDE: "mide más de lo que puede medir un evento de su protocolo",
    MotivoDeIgnorar.ESTADO_QUE_NO_CUENTA: "su red dice un estado que no es el de una conversión",
    MotivoDeIgnorar.OTRO: "quien lo publicó da un motivo que esta versión no conoce",
}
"""Lo que se dice de cada motivo."""


def comando_negado(
    clase: Clase,
    cuerpo: Mapping[str, object],
    negacion: MotivoDeIgnorar | Iterable[Fallo],
    *,
    id_asignado: Callable[[], str],
    recibido_en: datetime,
    id_derivado: str | None = None,
    permiso: Permiso = SIN_LIMITES,
) -> Comando:
    """El comando que dice que ese cuerpo no se registra: por un motivo se ignora, por unas faltas se rechaza.

    Lleva lo que se envió. Lo que no cabe en su campo (un importe que no se lee) queda entre las propiedades
    con el nombre del campo. A un `id` por el que no se podría preguntar lo sustituye el derivado o, si no
    hay, uno asignado. Una campaña a la que no se puede enviar, y su influencer, tampoco quedan en su campo:
    quien lee lo de esa campaña no tiene por qué ver lo que le envían otros.
    """
    dto = json_a_dto(clase, cuerpo, Recolector())
    campos: dict[str, Any] = {}
    sueltos: dict[str, str] = {}
    for nombre in _CAMPOS[clase]:
        campos[nombre] = _publicable(getattr(dto, nombre))
        if campos[nombre] is None and cuerpo.get(nombre) is not None:
            sueltos[nombre] = _recortado(como_texto(cuerpo[nombre]))
    propio, derivado = (
        id_consultable(permiso.prefijo + dicho) if dicho else None for dicho in (campos["id"], id_derivado)
    )
    if propio is None and campos["id"]:
        sueltos["id"] = campos["id"]
    campos["id"] = propio or derivado or permiso.prefijo + id_asignado()
    if permiso.campañas is not None and campos["campaña_id"] not in permiso.campañas:
        for nombre, pedido in _PEDIDOS.items():
            if campos.get(nombre) is not None:
                sueltos[pedido], campos[nombre] = campos[nombre], None
    for obligatorio in ("campaña_id", clase.campo_tipo):
        campos[obligatorio] = campos[obligatorio] or ""
    motivo = negacion if isinstance(negacion, MotivoDeIgnorar) else None
    fallos = () if isinstance(negacion, MotivoDeIgnorar) else negacion
    return clase.comando(
        **campos,
        propiedades={**sueltos, **dto.propiedades},
        recibido_en=recibido_en,
        advertencias=(),
        ignorada=motivo,
        faltas=_por_campo(fallos),
    )


def destino_de_negado(comando: Comando) -> Ignorada | Rechazada | None:
    """El destino que pide quien publicó el comando; `None` si no pide ninguno, y hay que juzgarlo."""
    # Quien publica sin pasar por la API puede escribirla vacía, que es no decir nada.
    if comando.ignorada:
        motivo = MOTIVOS_DE_IGNORAR.get(comando.ignorada, MotivoDeIgnorar.OTRO)
        return Ignorada(motivo, FRASES[motivo])
    if not comando.faltas:
        return None
    # Quien publica sin pasar por la API puede escribir en ellas lo que quiera.
    fallos = [
        _falta(campo, escrita) for campo, escrita in islice(comando.faltas.items(), MAXIMO_ADVERTENCIAS)
    ]
    campos = tuple(fallo.campo for fallo in fallos)
    return Rechazada(fallos[0].codigo, str(DatosInvalidos(fallos)), campos)


def _por_campo(fallos: Iterable[Fallo]) -> dict[str, str]:
    """Las faltas como se publican; las de un mismo campo van juntas, con el código de la primera."""
    faltas: dict[str, str] = {}
    for fallo in fallos:
        campo, mensaje = nombre_legible(fallo.campo), texto_legible(fallo.mensaje)
        anterior = faltas.get(campo)
        faltas[campo] = f"{fallo.codigo}: {mensaje}" if anterior is None else f"{anterior}; {mensaje}"
    return faltas


def _falta(campo: str, escrita: str) -> Fallo:
    codigo, _, frase = escrita.partition(": ")
    conocido = MOTIVOS.get(codigo, Codigo.VALOR_NO_PERMITIDO)
    return Fallo(nombre_legible(campo), conocido, texto_legible(frase)[:_LETRAS_DE_UNA_FRASE])


def _publicable(valor: object) -> object:
    """Un valor como cabe en un mensaje, o `None` si no cabe."""
    if isinstance(valor, str):
        return _recortado(valor)
    if isinstance(valor, Decimal):
        try:
            return importe_valido(valor.copy_abs(), None).copy_sign(valor)
        except CampoInvalido:
            return None
    return valor


def _recortado(texto: str) -> str:
    return texto_legible(texto)[:_LETRAS_DE_UN_CAMPO]

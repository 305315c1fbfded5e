"""Los comandos negados: lo que no se registra se publica igual, y el consumidor le da su destino."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from alpespartners.modulos.tracking.aplicacion import clases
from alpespartners.modulos.tracking.aplicacion.codigos import (
    MOTIVOS,
    MOTIVOS_DE_IGNORAR,
    CodigoDePeticion,
)
from alpespartners.modulos.tracking.aplicacion.comandos import Comando
from alpespartners.modulos.tracking.aplicacion.handlers import ManejadorDeRegistro
from alpespartners.modulos.tracking.aplicacion.mapeadores import comando_del_cuerpo
from alpespartners.modulos.tracking.aplicacion.mensajes import ComandoRecibido, DestinoDeComando
from alpespartners.modulos.tracking.aplicacion.negados import FRASES, comando_negado, destino_de_negado
from alpespartners.modulos.tracking.aplicacion.permisos import Permiso
from alpespartners.modulos.tracking.dominio.destinos import (
    Ignorada,
    MotivoDeIgnorar,
    Rechazada,
    Registrada,
)
from alpespartners.modulos.tracking.dominio.excepciones import Codigo, DatosInvalidos, Fallo
from alpespartners.modulos.tracking.infraestructura.mensajes.sobres import abrir_comando, sobre_de_comando
from alpespartners.seedwork.json_estricto import NumeroJson
from tests.apoyo.eventos import CONVERSION
from tests.apoyo.libro_en_memoria import TransaccionEnMemoria

AHORA = datetime(2026, 1, 15, 10, 36, tzinfo=UTC)
VENTA: dict[str, object] = {
    "id": "pedido-1",
    "campaña_id": "cmp-1",
    "tipo_conversion": "VENTA",
    "valor": NumeroJson("120.50"),
    "propiedades": {"tienda": "norte"},
}


def negado(
    cuerpo: dict[str, object], negacion: MotivoDeIgnorar | list[Fallo], permiso: Permiso | None = None
) -> Comando:
    return comando_negado(
        clases.CONVERSIONES,
        cuerpo,
        negacion,
        id_asignado=lambda: "asignado",
        recibido_en=AHORA,
        permiso=permiso or Permiso(),
    )


def asentado(comando: Comando, libro: TransaccionEnMemoria) -> DestinoDeComando:
    """El destino que tiene tras viajar por el tópico."""
    sobre = sobre_de_comando(comando, f"c-{comando.id}-{comando.ignorada}", None)
    abierto = abrir_comando(
        sobre.topico,
        carga=sobre.carga,
        propiedades=sobre.propiedades,
        clave=sobre.clave,
        publicado_en=AHORA,
        posicion="1:1:-1:0",
        epoca=UUID(int=1),
    )
    assert isinstance(abierto, ComandoRecibido)
    assert abierto.comando == comando
    (asiento,) = ManejadorDeRegistro(clases.CONVERSIONES).manejar([abierto], libro, AHORA).destinos
    return asiento


def test_lo_ignorado_no_se_registra_y_se_guarda_lo_que_se_envio() -> None:
    libro = TransaccionEnMemoria()
    asiento = asentado(negado(VENTA | {"campaña_id": None}, MotivoDeIgnorar.SIN_CAMPAÑA), libro)
    assert asiento.destino == Ignorada(MotivoDeIgnorar.SIN_CAMPAÑA, FRASES[MotivoDeIgnorar.SIN_CAMPAÑA])
    assert asiento.evento_id == "pedido-1"
    assert asiento.campaña_id is None
    assert asiento.enviado is not None
    assert asiento.enviado["valor"] == Decimal("120.5")
    assert asiento.enviado["propiedades"] == {"tienda": "norte"}
    assert not libro.eventos(clases.CONVERSIONES).eventos


def test_un_id_ignorado_se_puede_registrar_despues() -> None:
    libro = TransaccionEnMemoria()
    asentado(negado(VENTA, MotivoDeIgnorar.SIN_CORRESPONDENCIA), libro)
    comando = comando_del_cuerpo(
        clases.CONVERSIONES, VENTA | {"moneda": "COP"}, id_asignado=str, recibido_en=AHORA
    )
    assert asentado(comando, libro).destino == Registrada()


def test_lo_que_hallo_quien_publica_es_por_lo_que_se_rechaza_aunque_los_datos_valgan() -> None:
    libro = TransaccionEnMemoria()
    faltas = [
        Fallo("campaña_id", CodigoDePeticion.SIN_PERMISO, "la clave no vale: para esta campaña"),
        Fallo("valor", Codigo.REQUERIDO, "es obligatorio"),
    ]
    asiento = asentado(negado(VENTA | {"moneda": "COP"}, faltas), libro)
    assert asiento.destino == Rechazada(
        CodigoDePeticion.SIN_PERMISO,
        "campaña_id: la clave no vale: para esta campaña; valor: es obligatorio",
        ("campaña_id", "valor"),
    )
    assert not libro.eventos(clases.CONVERSIONES).eventos


def test_de_dos_faltas_de_un_campo_se_dicen_las_dos_y_el_motivo_es_la_primera() -> None:
    faltas = [
        Fallo("id", Codigo.LONGITUD_EXCEDIDA, "tiene 200 caracteres"),
        Fallo("id", CodigoDePeticion.CARACTER_INVISIBLE, "empieza con uno invisible"),
    ]
    asiento = asentado(negado(VENTA, faltas), TransaccionEnMemoria())
    assert asiento.destino == Rechazada(
        Codigo.LONGITUD_EXCEDIDA, "id: tiene 200 caracteres; empieza con uno invisible", ("id",)
    )


@pytest.mark.parametrize(
    ("campo", "enviado", "guardado"),
    [
        ("valor", NumeroJson("1.23456"), "1.23456"),
        ("valor", NumeroJson("1e999999999"), "1e999999999"),
        ("valor", True, "true"),
        ("timestamp", "ayer", "ayer"),
        ("moneda", {"codigo": "COP"}, '{"codigo":"COP"}'),
        ("id", "x" * 200, "x" * 200),
    ],
)
def test_lo_que_no_cabe_en_su_campo_queda_entre_las_propiedades(
    campo: str, enviado: object, guardado: str
) -> None:
    comando = negado(VENTA | {campo: enviado}, MotivoDeIgnorar.SIN_CORRESPONDENCIA)
    assert comando.propiedades[campo] == guardado
    assert asentado(comando, TransaccionEnMemoria()).enviado is not None


@pytest.mark.parametrize(
    ("escrito", "valor"),
    [("-12.5", "-12.5"), ("0e999999999", "0"), ("12345678901234.99", "12345678901234.99")],
)
def test_un_importe_que_cabe_viaja_exacto_aunque_no_valga(escrito: str, valor: str) -> None:
    comando = negado(VENTA | {"valor": NumeroJson(escrito)}, [Fallo("valor", Codigo.VALOR_NEGATIVO, "no")])
    enviado = asentado(comando, TransaccionEnMemoria()).enviado
    assert enviado is not None
    assert enviado["valor"] == Decimal(valor)


def test_a_lo_que_no_trae_id_se_le_asigna_uno_y_el_prefijo_de_la_clave_va_delante() -> None:
    sin_id = {nombre: valor for nombre, valor in VENTA.items() if nombre != "id"}
    permiso = Permiso(prefijo="tienda-")
    assert negado(sin_id, MotivoDeIgnorar.SIN_CAMPAÑA, permiso).id == "tienda-asignado"
    assert negado(VENTA, MotivoDeIgnorar.SIN_CAMPAÑA, permiso).id == "tienda-pedido-1"


def test_un_sustituto_suelto_no_impide_publicarlo() -> None:
    comando = negado(VENTA | {"usuario_id": "a\ud800"}, MotivoDeIgnorar.SIN_CAMPAÑA)
    assert asentado(comando, TransaccionEnMemoria()).enviado is not None


def test_un_motivo_que_no_se_conoce_tambien_se_ignora() -> None:
    assert _destino(ignorada="de_mañana") == Ignorada(MotivoDeIgnorar.OTRO, FRASES[MotivoDeIgnorar.OTRO])


def test_un_motivo_vacio_de_un_publicador_ajeno_no_dice_nada() -> None:
    assert _destino(ignorada="") is None
    assert isinstance(_destino(ignorada="", faltas={"valor": "requerido: falta"}), Rechazada)


def test_las_faltas_de_un_publicador_ajeno_se_acotan() -> None:
    muchas = {f"campo {n}\n": f"inventado: {'x' * 5_000}" for n in range(500)}
    destino = _destino(faltas=muchas)
    assert isinstance(destino, Rechazada)
    assert destino.motivo is Codigo.VALOR_NO_PERMITIDO
    assert len(destino.campos) == 64
    assert "\n" not in "".join(destino.campos)
    assert len(destino.detalle) < 64 * 400


def test_ningun_motivo_de_ignorar_lo_es_de_un_rechazo_y_cada_uno_se_explica() -> None:
    assert not MOTIVOS.keys() & MOTIVOS_DE_IGNORAR.keys()
    assert FRASES.keys() == set(MotivoDeIgnorar)


def test_toda_falta_de_un_cuerpo_es_un_motivo_de_rechazo() -> None:
    de_un_cuerpo = {"tipo_incorrecto", "valor_ambiguo", "caracter_invisible", "sin_permiso", "requerido"}
    cuerpos: list[dict[str, object]] = [
        VENTA | {"moneda": 1},
        VENTA | {"moneda": "COP", "valor": "150.000"},
        VENTA | {"moneda": "C\u200bOP"},
        VENTA | {"moneda": "COP", "campaña_id": "otra"},
        {},
    ]
    hallados = set()
    for cuerpo in cuerpos:
        with pytest.raises(DatosInvalidos) as invalidos:
            comando_del_cuerpo(
                clases.CONVERSIONES,
                cuerpo,
                id_asignado=str,
                recibido_en=AHORA,
                permiso=Permiso(campañas=frozenset({"cmp-1"})),
            )
        hallados |= {fallo.codigo.value for fallo in invalidos.value.fallos}
    assert de_un_cuerpo <= hallados
    assert hallados <= MOTIVOS.keys()


def _destino(**cambios: Any) -> Ignorada | Rechazada | None:
    return destino_de_negado(replace(CONVERSION, **cambios))

"""La comparación de lo que guarda un tópico con lo que dice el libro, pieza a pieza y sin leer nada."""

from datetime import timedelta

import pytest

from alpespartners.modulos.tracking.aplicacion.conciliacion import (
    Asiento,
    Criterio,
    Cuenta,
    EnCamino,
    Hallazgo,
    Mensaje,
    Pieza,
    TipoDeHallazgo,
    clave_de_comando,
    con_comodines,
    emparejar,
    juzgar_comando,
    juzgar_evento,
)
from tests.apoyo.eventos import AHORA

CRITERIO = Criterio(desde=AHORA, en_vuelo=lambda mensaje: mensaje.instante > AHORA + timedelta(seconds=5))


def asiento(
    comando_id: str, destino: str = "REGISTRADA", *, segundo: int = 1, contenido: bytes = b""
) -> Asiento:
    return Asiento(comando_id, "id", AHORA + timedelta(seconds=segundo), destino, contenido)


def mensaje(
    comando_id: str, posicion: str = "1:2:-1:-1", *, segundo: int = 1, contenido: bytes = b""
) -> Mensaje:
    return Mensaje(posicion, comando_id, "id", AHORA + timedelta(seconds=segundo), contenido)


def comandos(*piezas: tuple[str, bytes | None, Pieza]) -> tuple[list[Hallazgo], Cuenta]:
    cuenta = Cuenta("comandos")
    parejas = emparejar((clave_de_comando(comando_id, huella), pieza) for comando_id, huella, pieza in piezas)
    juicios = [juzgar_comando(pareja, CRITERIO, cuenta) for pareja in con_comodines(parejas)]
    return [juicio for juicio in juicios if juicio is not None], cuenta


def eventos(*piezas: Pieza) -> tuple[list[Hallazgo], Cuenta]:
    cuenta = Cuenta("eventos")
    juicios = [juzgar_evento(pareja, CRITERIO, cuenta) for pareja in emparejar((b"e", p) for p in piezas)]
    return [juicio for juicio in juicios if juicio is not None], cuenta


def test_un_comando_repetido_en_el_topico_es_uno() -> None:
    hallazgos, cuenta = comandos(
        ("c", b"1", asiento("c", "DUPLICADA")), ("c", b"1", mensaje("c")), ("c", b"1", mensaje("c"))
    )
    assert hallazgos == []
    assert (cuenta.mensajes, cuenta.distintos, cuenta.cuadran) == (2, 1, {"DUPLICADA": 1})


def test_un_comando_id_con_dos_cargas_son_dos_comandos() -> None:
    hallazgos, cuenta = comandos(
        ("c", b"1", asiento("c")), ("c", b"1", mensaje("c")), ("c", b"2", mensaje("c"))
    )
    assert [hallazgo.tipo for hallazgo in hallazgos] == [TipoDeHallazgo.FALTA_EL_DESTINO]
    assert cuenta.distintos == 2


@pytest.mark.parametrize(
    ("piezas", "tipo"),
    [
        ([mensaje("c")], TipoDeHallazgo.FALTA_EL_DESTINO),
        ([mensaje("c", segundo=6)], TipoDeHallazgo.EN_VUELO),
        ([asiento("c")], TipoDeHallazgo.SOBRA_EL_DESTINO),
        ([asiento("c", segundo=-1)], TipoDeHallazgo.NO_VERIFICABLE),
        ([asiento("c"), asiento("c", "ILEGIBLE"), mensaje("c")], TipoDeHallazgo.DOS_DESTINOS),
    ],
    ids=str,
)
def test_lo_que_no_tiene_pareja_se_juzga(piezas: list[Pieza], tipo: TipoDeHallazgo) -> None:
    (hallazgo,), cuenta = comandos(*[("c", b"1", pieza) for pieza in piezas])
    assert (hallazgo.tipo, hallazgo.comando_id, hallazgo.evento_id) == (tipo, "c", "id")
    assert hallazgo.posicion == next((p.posicion for p in piezas if isinstance(p, Mensaje)), None)
    assert cuenta.hallazgos == {tipo: 1}


def test_una_fila_sin_huella_es_la_del_primer_comando_suyo_sin_destino_propio() -> None:
    hallazgos, cuenta = comandos(
        ("c", None, asiento("c")),
        ("c", b"1", asiento("c", "DUPLICADA")),
        ("c", b"1", mensaje("c")),
        ("c", b"2", mensaje("c")),
        ("d", None, asiento("d")),
        ("e", b"1", mensaje("e")),
        ("f", None, asiento("f", segundo=-1)),
    )
    assert cuenta.cuadran == {"DUPLICADA": 1, "REGISTRADA": 1}
    assert [(hallazgo.tipo, hallazgo.comando_id) for hallazgo in hallazgos] == [
        (TipoDeHallazgo.SOBRA_EL_DESTINO, "d"),
        (TipoDeHallazgo.FALTA_EL_DESTINO, "e"),
        (TipoDeHallazgo.NO_VERIFICABLE, "f"),
    ]


@pytest.mark.parametrize(
    ("piezas", "tipo"),
    [
        ([asiento("c", contenido=b"a"), mensaje("c", contenido=b"a"), mensaje("c", contenido=b"a")], None),
        ([asiento("c"), EnCamino()], None),
        ([EnCamino()], None),
        ([asiento("c")], TipoDeHallazgo.FALTA_EL_EVENTO),
        ([asiento("c", segundo=-1)], TipoDeHallazgo.NO_VERIFICABLE),
        ([mensaje("c")], TipoDeHallazgo.SOBRA_EL_EVENTO),
        ([asiento("c", contenido=b"a"), mensaje("c", contenido=b"b")], TipoDeHallazgo.OTRO_CONTENIDO),
        (
            [asiento("c", contenido=b"a"), mensaje("c", contenido=b"a"), mensaje("c", contenido=b"b")],
            TipoDeHallazgo.OTRO_CONTENIDO,
        ),
        ([mensaje("c", contenido=b"a"), mensaje("c", contenido=b"b")], TipoDeHallazgo.OTRO_CONTENIDO),
    ],
    ids=str,
)
def test_cada_fila_tiene_su_evento_y_dice_lo_mismo(piezas: list[Pieza], tipo: TipoDeHallazgo | None) -> None:
    hallazgos, _ = eventos(*piezas)
    assert [hallazgo.tipo for hallazgo in hallazgos] == ([] if tipo is None else [tipo])


def test_solo_cuenta_en_camino_el_evento_de_una_fila_y_distinto_lo_que_esta_en_el_topico() -> None:
    _, de_la_fila = eventos(asiento("c"), EnCamino())
    assert (de_la_fila.en_camino, de_la_fila.mensajes, de_la_fila.distintos) == (1, 0, 0)
    _, sin_fila = eventos(EnCamino())
    assert sin_fila.en_camino == 0


@pytest.mark.parametrize(
    ("piezas", "detalle"),
    [
        ([mensaje("c")], None),
        ([asiento("c", "ILEGIBLE")], "ILEGIBLE"),
        ([asiento("c"), asiento("c", "ILEGIBLE"), mensaje("c")], "REGISTRADA, ILEGIBLE"),
    ],
    ids=str,
)
def test_un_hallazgo_dice_en_que_acabo_el_comando(piezas: list[Pieza], detalle: str | None) -> None:
    (hallazgo,), _ = comandos(*[("c", b"1", pieza) for pieza in piezas])
    assert hallazgo.detalle == detalle


def test_de_los_eventos_que_contradicen_a_su_fila_se_nombra_el_primero() -> None:
    mensajes = [
        mensaje("c", f"1:{n}:-1:-1", contenido=contenido) for n, contenido in enumerate((b"a", b"b", b"d"))
    ]
    (hallazgo,), _ = eventos(asiento("c", contenido=b"a"), *mensajes)
    assert hallazgo.posicion == "1:1:-1:-1"


@pytest.mark.parametrize(
    ("publicados", "fila", "posicion"),
    [
        (b"a", b"a", None),
        (b"a", b"b", "1:0:-1:-1"),
        (b"ab", b"a", "1:1:-1:-1"),
        (b"ab", b"b", "1:0:-1:-1"),
    ],
)
def test_la_fila_que_aparece_al_mirar_otra_vez_se_compara_con_lo_publicado(
    publicados: bytes, fila: bytes, posicion: str | None
) -> None:
    mensajes = [mensaje("c", f"1:{n}:-1:-1", contenido=bytes([c])) for n, c in enumerate(publicados)]
    (pareja,) = emparejar((b"e", uno) for uno in mensajes)
    pareja.aparece(asiento("c", contenido=fila))
    hallazgo = juzgar_evento(pareja, CRITERIO, Cuenta("eventos"))
    assert (hallazgo and (hallazgo.tipo, hallazgo.posicion)) == (
        posicion and (TipoDeHallazgo.OTRO_CONTENIDO, posicion)
    )


def test_solo_lo_que_esta_en_vuelo_y_lo_no_verificable_no_son_discrepancias() -> None:
    assert {tipo for tipo in TipoDeHallazgo if not tipo.es_discrepancia} == {
        TipoDeHallazgo.EN_VUELO,
        TipoDeHallazgo.NO_VERIFICABLE,
    }

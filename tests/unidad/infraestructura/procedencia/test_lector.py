"""La lectura entera: qué pasos manda cada uno, qué clase tiene un clic y qué queda si un paso falla."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alpespartners.modulos.tracking.dominio.lectura import Lectura
from alpespartners.modulos.tracking.infraestructura.procedencia import lector as modulo
from alpespartners.modulos.tracking.infraestructura.procedencia.lector import LectorDeProcedencias
from alpespartners.modulos.tracking.infraestructura.procedencia.pais import PaisesDeLosRegistros
from tests.apoyo.eventos import conversion, impresion

CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 "
    "Safari/537.36"
)
EN_INSTAGRAM = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_1_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Mobile/15E148 Instagram 309.0.2.23.110 (iPhone14,5; iOS 17_1_2; es_CO; es; scale=3.00; 1170x2532)"
)
NADA: dict[str, Any] = {"user_agent": None, "ip_address": None, "referrer": None}

fallados: list[str] = []
LECTOR = LectorDeProcedencias(PaisesDeLosRegistros(), fallados.append)


def leer(*señales: str, **campos: Any) -> Lectura:
    return LECTOR.leer(impresion(**{**NADA, **campos}).contenido, señales)


def test_se_lee_todo_lo_que_dice_una_procedencia() -> None:
    assert leer(
        "visita_repetida",
        tipo_evento="CLIC",
        user_agent=EN_INSTAGRAM,
        ip_address="190.24.1.1",
        referrer="https://l.instagram.com/",
    ) == Lectura(
        reglas=LECTOR.leer(impresion().contenido, ()).reglas,
        navegador="Instagram",
        sistema="iOS",
        dispositivo="movil",
        aplicacion="Instagram",
        red="instagram",
        pais="CO",
        bot=False,
        señales=(),
        recibidas=("visita_repetida",),
        clase="REPETIDO",
    )


def test_de_quien_no_dice_nada_no_se_sabe_nada_y_no_es_un_robot() -> None:
    leida = leer()
    assert leida == Lectura(reglas=leida.reglas, red="directo")


@pytest.mark.parametrize(
    ("campos", "red"),
    [
        ({"referrer": "https://t.co/x", "user_agent": EN_INSTAGRAM}, "x"),
        ({"user_agent": EN_INSTAGRAM, "propiedades": {"utm_source": "tiktok"}}, "instagram"),
        ({"user_agent": CHROME, "propiedades": {"utm_source": "tiktok"}}, "tiktok"),
        ({"user_agent": CHROME, "propiedades": {"utm_source": "mi-blog"}}, "directo"),
        ({"referrer": "https://blog.example", "propiedades": {"utm_source": "tiktok"}}, "otra"),
    ],
)
def test_la_red_la_dice_la_procedencia_o_si_calla_la_aplicacion_o_el_enlace(
    campos: dict[str, Any], red: str
) -> None:
    assert leer(**campos).red == red


TIENDA = "https://tienda.com/"


@pytest.mark.parametrize(
    ("dicho", "red"),
    [
        ({"propiedades": {"procedencia": "https://l.instagram.com"}}, "instagram"),
        ({"propiedades": {"procedencia": "https://l.instagram.com"}, "referrer": None}, "instagram"),
        ({"propiedades": {"procedencia": "https://un-blog.es"}}, "otra"),
        ({"propiedades": {"procedencia": "https://www.tienda.com"}}, "directo"),
        ({"propiedades": {"procedencia": "https://tienda.com", "utm.source": "tt"}}, "tiktok"),
        ({"user_agent": EN_INSTAGRAM}, "instagram"),
        ({}, "directo"),
        ({"propiedades": {"procedencia": "nada"}}, "directo"),
    ],
)
def test_de_lo_que_hace_una_pagina_su_direccion_no_es_de_donde_se_llego(
    dicho: dict[str, Any], red: str
) -> None:
    assert leer("en_la_pagina", **{"referrer": TIENDA} | dicho).red == red


def test_sin_la_señal_de_una_pagina_la_propiedad_es_del_cliente_y_no_dice_la_red() -> None:
    assert leer(referrer=TIENDA, propiedades={"procedencia": "https://l.instagram.com"}).red == "otra"


@pytest.mark.parametrize(
    ("señales", "agente", "clase"),
    [
        ((), CHROME, "UNICO"),
        (("visita_repetida",), CHROME, "REPETIDO"),
        (("visita_repetida",), "curl/8.4.0", "BOT"),
        (("visita_repetida", "enlace_vencido"), "curl/8.4.0", "INVALIDO"),
        (("precarga",), CHROME, "INVALIDO"),
        (("destino_ignorado", "firma_invalida"), CHROME, "UNICO"),
        ((), None, "UNICO"),
        (("en_la_pagina", "precarga", "visita_repetida"), CHROME, "INVALIDO"),
    ],
)
def test_un_clic_tiene_la_primera_clase_que_le_cabe(
    señales: tuple[str, ...], agente: str | None, clase: str
) -> None:
    assert leer(*señales, tipo_evento="CLIC", user_agent=agente).clase == clase


def test_solo_un_clic_tiene_clase() -> None:
    assert leer(tipo_evento="VISUALIZACION", user_agent="curl/8.4.0").clase is None
    assert LECTOR.leer(conversion().contenido, ()).clase is None


def test_las_señales_de_un_robot_son_las_del_agente_y_las_de_su_procedencia() -> None:
    leida = leer(user_agent="curl/8.4.0", referrer="http://semalt.com/x")
    assert (leida.bot, leida.señales) == (True, ("agente_de_programa", "referrer_de_spam"))


def test_una_direccion_privada_no_tiene_pais() -> None:
    assert leer(ip_address="192.168.1.1").pais is None
    assert leer(ip_address="2800:484::1").pais == "CO"


@pytest.mark.parametrize(
    ("paso", "se_cuenta", "campos"),
    [
        ("anfitrion_de", "red", {"red": None}),
        ("red_de_anfitrion", "red", {"red": None}),
        ("robot_del_anfitrion", "robot", {"señales": ("NO_EVALUADA",)}),
        ("red_de_utm", "utm", {"red": None}),
    ],
)
def test_un_paso_que_falla_se_dice_y_se_cuenta_y_los_demas_siguen(
    monkeypatch: pytest.MonkeyPatch, paso: str, se_cuenta: str, campos: dict[str, Any]
) -> None:
    monkeypatch.setattr(modulo, paso, _falla)
    contados: list[str] = []
    lector = LectorDeProcedencias(PaisesDeLosRegistros(), contados.append)
    referrer = None if paso == "red_de_utm" else "https://instagram.com"
    contenido = impresion(
        user_agent=CHROME, ip_address="190.24.1.1", referrer=referrer, propiedades={"a": "b"}
    ).contenido
    for _ in range(2):
        leida = lector.leer(contenido, ())
        assert (leida.navegador, leida.pais) == ("Chrome", "CO")
        assert leida.señales == ("NO_EVALUADA",)
        for nombre, valor in campos.items():
            assert getattr(leida, nombre) == valor
    assert contados == [se_cuenta] * 2


def _falla(*_: object) -> Any:
    raise RuntimeError


class _PaisesRotos:
    reglas = "rotos"

    def de(self, _direccion: str) -> str | None:
        raise ValueError


def test_un_archivo_de_paises_roto_no_impide_leer_lo_demas() -> None:
    contados: list[str] = []
    leida = LectorDeProcedencias(_PaisesRotos(), contados.append).leer(
        impresion(tipo_evento="CLIC", user_agent=CHROME, ip_address="190.24.1.1", referrer=None).contenido,
        (),
    )
    assert (leida.pais, leida.señales) == (None, ("NO_EVALUADA",))
    assert (leida.red, leida.clase) == ("directo", "UNICO")
    assert contados == ["pais"]


@given(st.lists(st.text(max_size=80), max_size=100))
def test_de_las_señales_que_trae_un_comando_quedan_unos_pocos_codigos(señales: list[str]) -> None:
    recibidas = leer(*señales, tipo_evento="CLIC").recibidas
    assert len(recibidas) <= 16
    assert len({*recibidas}) == len(recibidas)
    assert all(señal.isascii() and 0 < len(señal) <= 64 for señal in recibidas)


def test_las_señales_repetidas_o_que_no_son_codigos_no_quedan() -> None:
    assert leer("visita_repetida", "No vale", "visita_repetida", "x" * 65).recibidas == ("visita_repetida",)


@given(user_agent=st.text(max_size=1_024), referrer=st.text(max_size=2_048), utm=st.text(max_size=100))
def test_nada_de_lo_que_llegue_hace_fallar_un_paso(user_agent: str, referrer: str, utm: str) -> None:
    leer(user_agent=user_agent, referrer=f"https://a.example/{referrer}", propiedades={"utm_source": utm})
    assert fallados == []


def _reglas(paises: Any) -> str:
    return LectorDeProcedencias(paises, lambda _: None).leer(impresion().contenido, ()).reglas


def test_las_reglas_dicen_de_que_datos_salen(monkeypatch: pytest.MonkeyPatch) -> None:
    de_hoy = _reglas(PaisesDeLosRegistros())
    assert _reglas(_PaisesRotos()) != de_hoy
    monkeypatch.setattr(modulo, "REGLAS", "otra")
    assert _reglas(PaisesDeLosRegistros()) != de_hoy

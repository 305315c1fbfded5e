"""Qué agentes y qué procedencias son de un robot, y por qué; y cuáles no lo son."""

import pytest

from alpespartners.modulos.tracking.infraestructura.procedencia.robot import JuezDeRobots, robot_del_anfitrion

JUEZ = JuezDeRobots()


@pytest.mark.parametrize(
    ("agente", "señal"),
    [
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "agente_de_robot"),
        (
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 "
                "(KHTML, like Gecko) "
                "Mobile/15E148 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)"
            ),
            "agente_de_robot",
        ),
        ("RobotQueNadieConoce/1.0", "agente_de_robot"),
        ("un Crawler cualquiera", "agente_de_robot"),
        (
            "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
            "agente_de_vista_previa",
        ),
        ("WhatsApp/2.23.20.0 A", "agente_de_vista_previa"),
        ("TelegramBot (like TwitterBot)", "agente_de_vista_previa"),
        ("curl/8.4.0", "agente_de_programa"),
        ("python-requests/2.31.0", "agente_de_programa"),
        ("Go-http-client/2.0", "agente_de_programa"),
        ("Java/17.0.1", "agente_de_programa"),
        ("PostmanRuntime/7.36.0", "agente_de_programa"),
        (
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
                "HeadlessChrome/120.0.6099.28 Safari/537.36"
            ),
            "navegador_sin_pantalla",
        ),
    ],
)
def test_un_robot_da_su_señal(agente: str, señal: str) -> None:
    assert JUEZ.del_agente(agente) == (señal,)


@pytest.mark.parametrize(
    "agente",
    [
        "",
        "Mozilla/5.0...",
        # Fabrica teléfonos.
        (
            "Mozilla/5.0 (Linux; Android 10; CUBOT NOTE 20) AppleWebKit/537.36 (KHTML, like Gecko) "
            "Chrome/107.0.0.0 Mobile Safari/537.36"
        ),
        # Con estas envían las aplicaciones de un teléfono.
        "okhttp/4.9.0",
        "MiTienda/1.0 CFNetwork/1410.0.3 Darwin/22.6.0",
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_1_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, "
            "like Gecko) "
            "Mobile/15E148 Instagram 309.0.2.23.110 (iPhone14,5; iOS 17_1_2; es_CO; es; scale=3.00)"
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
            "Chrome/120.0.0.0 "
            "Safari/537.36"
        ),
    ],
)
def test_lo_de_una_persona_no_da_ninguna(agente: str) -> None:
    assert JUEZ.del_agente(agente) == ()


def test_una_procedencia_de_spam_da_su_señal_tambien_en_un_subdominio() -> None:
    assert robot_del_anfitrion("semalt.com") == robot_del_anfitrion("a.b.semalt.com") == ("referrer_de_spam",)
    assert robot_del_anfitrion("nosemalt.com") == robot_del_anfitrion("instagram.com") == ()

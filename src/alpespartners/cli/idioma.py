"""La orden `alpespartners` en español: su ayuda y lo que dice de una orden mal escrita.

Qué es: las dos clases de Typer (una orden, un grupo de ellas) con lo que Typer deja cambiar.
Qué no es: un catálogo de mensajes; los de Typer están escritos en su código y no pasan por gettext. Así que
de un error se mira qué es y no qué dice: lo que un argumento debe ser lo dice su propia ayuda.
Por qué existe: quien se equivoca al teclear es quien menos debe tener que leer otro idioma.
"""

import errno
import os
import sys
from difflib import get_close_matches
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

_MAL_USO = 2
_AL_ESCRIBIR = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})


class _OrdenMalEscrita(typer.TyperException):
    """Un error de uso ya dicho en español."""

    exit_code = _MAL_USO

    def __init__(self, frase: str, ctx: Any) -> None:
        super().__init__(frase)
        self.ctx = ctx


# Se mezcla con dos clases de Typer cuya base común no es pública.
_DeTyper: Any = object


class _EnEspanol(_DeTyper):  # type: ignore[misc]
    """La ayuda de una orden o de un grupo."""

    def get_help_option(self, ctx: Any) -> Any:
        """La opción `--help`."""
        opcion = super().get_help_option(ctx)
        opcion.help = "Muestra esta ayuda y termina."
        return opcion

    def format_usage(self, ctx: Any, formatter: Any) -> None:
        """La línea de uso."""
        piezas = ["[OPCIONES]", *self.collect_usage_pieces(ctx)[1:]]
        formatter.write_usage(ctx.command_path, " ".join(piezas), prefix="Uso: ")

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """La ayuda."""
        _poner_titulos()
        super().format_help(ctx, formatter)


class Orden(_EnEspanol, TyperCommand):
    """Una orden."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Lee los argumentos; los que sobran son un error."""
        ctx.allow_extra_args = True
        sobran = super().parse_args(ctx, args)
        if sobran:
            raise _OrdenMalEscrita(f"Sobra «{' '.join(sobran)}».", ctx)
        return sobran


class Grupo(_EnEspanol, TyperGroup):
    """Un grupo de órdenes; el de arriba es el que se ejecuta."""

    def __init__(self, **opciones: Any) -> None:
        super().__init__(**opciones | {"subcommand_metavar": "ORDEN [ARGUMENTOS]..."})

    def main(self, *argumentos: Any, **opciones: Any) -> Any:
        """Ejecuta la orden y termina el proceso.

        Un error de uso, y una salida en la que no se puede escribir, son una frase y el código 2.
        """
        try:
            sys.exit(super().main(*argumentos, **opciones | {"standalone_mode": False}))
        except typer.TyperException as error:
            _contar(error)
            sys.exit(error.exit_code)
        except typer.Abort:
            sys.exit(1)
        except OSError as error:
            if error.filename is not None or error.errno not in _AL_ESCRIBIR:
                raise
            _olvidar_la_salida()
            typer.echo(f"No se puede escribir lo que hay que decir: {error.strerror}.", err=True)
            sys.exit(_MAL_USO)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """La orden que nombran los argumentos."""
        if self.get_command(ctx, args[0]) is None:
            parecidas = get_close_matches(args[0], self.list_commands(ctx), 1)
            raise _OrdenMalEscrita(
                f"No existe la orden «{args[0]}»." + "".join(f" ¿Quiso decir «{n}»?" for n in parecidas), ctx
            )
        return super().resolve_command(ctx, args)


def _olvidar_la_salida() -> None:
    """Lo que quedara por salir no saldrá: al terminar, Python lo intentaría otra vez."""
    nada = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nada, sys.stdout.fileno())
    os.close(nada)


def _poner_titulos() -> None:
    """Los de Typer son variables de un módulo; se importa aquí porque tarda."""
    from typer import rich_utils

    rich_utils.ARGUMENTS_PANEL_TITLE = "Argumentos"
    rich_utils.OPTIONS_PANEL_TITLE = "Opciones"
    rich_utils.COMMANDS_PANEL_TITLE = "Órdenes"
    rich_utils.DEFAULT_STRING = "[si falta: {}]"
    rich_utils.REQUIRED_LONG_STRING = "[obligatorio]"


def _contar(error: Any) -> None:
    """Dice por el error estándar qué tiene de malo la orden y dónde está la ayuda."""
    if type(error).__name__ == "NoArgsIsHelpError":
        # Crearlo ya mostró la ayuda.
        return
    ctx = getattr(error, "ctx", None)
    if ctx is not None:
        typer.echo(ctx.get_usage(), err=True)
    typer.echo(_frase(error), err=True)
    typer.echo(f"Ayuda: {'alpespartners' if ctx is None else ctx.command_path} --help", err=True)


def _frase(error: Any) -> str:
    parametro = getattr(error, "param", None)
    # Por su nombre: las clases de estos errores no son públicas.
    match type(error).__name__:
        case "_OrdenMalEscrita":
            return str(error)
        case "NoSuchOption":
            return f"No existe la opción {error.option_name}."
        case "BadOptionUsage":
            return f"A la opción {error.option_name} le falta el valor, o no lleva ninguno."
        case "MissingParameter" if parametro is not None:
            return f"Falta {_nombre(parametro)}: {parametro.help}"
        case "BadParameter" if parametro is not None:
            return f"Lo dado en {_nombre(parametro)} no vale: {parametro.help}"
        case _:
            return "La orden no está completa o no se entiende."


def _nombre(parametro: Any) -> str:
    return str(parametro.get_error_hint()).strip("'")

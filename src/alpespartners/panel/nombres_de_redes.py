"""Cómo se escriben las redes que se llaman igual en cualquier idioma."""

from collections.abc import Mapping
from typing import Final

NOMBRES_DE_REDES: Final[Mapping[str, str]] = {
    "bing": "Bing",
    "discord": "Discord",
    "duckduckgo": "DuckDuckGo",
    "ecosia": "Ecosia",
    "facebook": "Facebook",
    "google": "Google",
    "instagram": "Instagram",
    "linkedin": "LinkedIn",
    "messenger": "Messenger",
    "pinterest": "Pinterest",
    "reddit": "Reddit",
    "snapchat": "Snapchat",
    "telegram": "Telegram",
    "threads": "Threads",
    "tiktok": "TikTok",
    "twitch": "Twitch",
    "whatsapp": "WhatsApp",
    "x": "X",
    "yahoo": "Yahoo",
    "youtube": "YouTube",
}
"""Por como la dice una lectura; de una que no está se escribe lo que diga."""

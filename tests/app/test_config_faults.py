"""The one line that each broken rule of the configuration gives."""

from pathlib import Path

import pytest

from app.config import ConfigError
from tests.app.test_config import SMALL, config_of

CODELESS = "[[codeless]]\nevent = 'e'\npage = '/*'\nelement = 'a'\n"
BROKEN = [
    ("= 1", "is not TOML"),
    ("[identity]", "identity.namespaces: must declare at least one"),
    ("[identity.namespaces.user_id]\npriority = 1", "channels: must declare at least one"),
    (SMALL + "[dispaly]", "dispaly: there is no such key; did you mean 'display'?"),
    (SMALL + "[qqq]", "qqq: there is no such key; known are "),
    (SMALL + "[display]\ntime_zone = 'Asia/Peking'", "display.time_zone: 'Asia/Peking' is not a time zone"),
    (SMALL + "[display]\ntime_zone = '../etc'", "display.time_zone: "),
    (SMALL + "[display]\ntime_zone = 8", "display.time_zone: must be text, not 8"),
    ("display = 'UTC'\n" + SMALL, "display: must be a table, [display], not 'UTC'"),
    (SMALL + "[topics]\npartitions = 0", "topics.partitions: must be a whole number from 1 to 1000, not 0"),
    (SMALL + "[topics]\npartitions = true", "topics.partitions: must be a whole number"),
    (SMALL + "[topics]\npartitions = 2.0", "topics.partitions: must be a whole number"),
    (SMALL + "[topics]\npartition = 2", "topics.partition: there is no such key; did you mean 'partitions'?"),
    (
        SMALL + "[identity.namespaces.x]",
        "identity.namespaces.x.priority: must be a whole number from -1000000 to 1000000, it is missing",
    ),
    (SMALL + "[identity.namespaces.x]\npriority = 1\nlimit = 0", "identity.namespaces.x.limit: must be a whole number from 1"),
    (
        SMALL + "[identity.namespaces.x]\npriority = 1\nnormalise = 'emial'",
        "normalise: must be one of none, lower, email, phone,",
    ),
    (SMALL + "[identity.namespaces.x]\npriority = 1\nnormalise = 'emial'", "did you mean 'email'?"),
    (
        SMALL + "[identity.namespaces.x]\npriority = 1\nblock = ['(']",
        "identity.namespaces.x.block: '(' is not a regular expression",
    ),
    (SMALL + "[identity.namespaces.x]\npriority = 1\nblock = [1]", "identity.namespaces.x.block: must be a list of texts"),
    (SMALL + "[identity.namespaces.'a:b']\npriority = 1", "identity.namespaces.a:b: a namespace has"),
    (SMALL + "[identity.namespaces]\nx = 1", "identity.namespaces.x: must be a table, [identity.namespaces.x], not 1"),
    (SMALL + "[channels.'a b']", "channels.a b: a channel's name has"),
    (
        SMALL + "[channels.x]\nformat = 'segmnt'",
        "channels.x.format: must be one of canonical, segment, sensors, map, not 'segmnt'; did you mean",
    ),
    (SMALL + "[channels.x]\ntopic = 'a b'", "channels.x.topic: must have"),
    (SMALL + "[channels.x]\ntopic = 'behaviour.web'", "channels.x.topic: 'behaviour.web' is too like the topic of channel 'web'"),
    (SMALL + "[channels.x]\ntopic = 'behaviour_web'", "channels.x.topic: 'behaviour_web' is too like the topic of channel 'web'"),
    (SMALL + "[channels.rejected]", "channels.rejected.topic: 'behaviour.rejected' is a topic of the system itself"),
    (
        SMALL + "[channels.x]\nnamespaces = { a = 'user' }",
        "channels.x.namespaces: 'user' is not a declared namespace; did you mean 'user_id'?",
    ),
    (SMALL + "[channels.x]\nnamespaces = { a = 1 }", "channels.x.namespaces.a: must be text, not 1"),
    (
        SMALL + "[channels.x]\nwrite_keys=['k']\n[channels.y]\nwrite_keys=['k']",
        "channels.y.write_keys: 'k' belongs to channel 'x'",
    ),
    (SMALL + "[channels.x]\nwrite_keys=['k', 'k']", "channels.x.write_keys: names something twice"),
    (SMALL + "[channels.x.map]\nevent = 'e'", 'channels.x.map: is only for format = "map"'),
    (SMALL + "[channels.x]\nformat = 'map'", "channels.x.map.identifiers: must give the place of at least one identifier"),
    (
        SMALL + "[channels.x]\nformat = 'map'\n[channels.x.map.identifiers]\nuser_id = 'a'",
        "channels.x.map.event: must be the dotted place",
    ),
    (SMALL + "[channels.x]\nformat = 'map'\n[channels.x.map.identifiers]\nuser = 'a'", "'user' is not a declared namespace"),
    (
        SMALL + "[channels.x]\nformat = 'map'\n[channels.x.map.identifiers]\nuser_id = 'a..b'",
        "identifiers.user_id: must be a dotted place",
    ),
    (
        SMALL + "[[business_systems]]\nurl = 'x'",
        "business_systems[1].name: must be the name of a business system, and it is missing",
    ),
    (
        SMALL + "[[business_systems]]\nname = 'x'\n[[business_systems]]\nname = 'x'",
        "business_systems[2].name: 'x' is declared twice",
    ),
    ("business_systems = 1\n" + SMALL, "business_systems: must be a list of tables, [[business_systems]]"),
    (SMALL + "[[journey.stages]]\nname = 'x'", "journey.stages[1].events: must be a list of texts, and it is missing"),
    (SMALL + "[[journey.stages]]\nname = 'x'\nevents = []", "journey.stages[1].events: must name at least one event"),
    (
        SMALL + "[[journey.stages]]\nname = 'x'\nevents = ['e']\nchannels = ['wbe']",
        "'wbe' is not a declared channel; did you mean 'web'?",
    ),
    (
        SMALL + "[[journey.stages]]\nname='x'\nevents=['e']\n[[journey.stages]]\nname='x'\nevents=['f']",
        "stages[2].name: 'x' is declared twice",
    ),
    (
        SMALL + "[[journey.stages]]\nname = 'x'\nevents = ['e']\nproperties = { a = [1] }",
        "stages[1].properties.a: must be a text, number",
    ),
    (SMALL + "[journey]\nkeep_days = 0", "journey.keep_days: must be a whole number from 1 to 36500"),
    (SMALL + "[journey]\nsession_gap_minutes = 0", "journey.session_gap_minutes: must be a whole number from 1 to 1440"),
    (SMALL + "[[journey.inferences]]\nname = 'x'", "inferences[1].event: must be the name of an event, and it is missing"),
    (
        SMALL + "[[journey.inferences]]\nname = 'x'\nevent = 'a'\nneeds = 'b'\nafter = 'b'",
        "inferences[1].needs: must be another event",
    ),
    (SMALL + "[journey]\nstage = 1", "journey.stage: there is no such key; did you mean 'stages'?"),
    (SMALL + "[systems.s]\nurl = 'ftp://h/x'\nnamespace = 'user_id'", "systems.s.url: must be an address like http://host/path"),
    (
        SMALL + "[systems.s]\nurl = 'http://[h/x'\nnamespace = 'user_id'",
        "systems.s.url: must be an address like http://host/path",
    ),
    (SMALL + "[systems.s]\nurl = 'http://h/x'", "systems.s.namespace: must be a declared namespace, and it is missing"),
    (
        SMALL + "[systems.s]\nurl = 'http://h/x'\nnamespace = 'fone'",
        "systems.s.namespace: 'fone' is not a declared namespace; did you",
    ),
    (SMALL + "[systems.web]\nurl = 'http://h/x'\nnamespace = 'phone'", "systems.web: a system's name is the channel"),
    (
        SMALL + "[events.a]\nsynonyms = ['c']\n[events.b]\nsynonyms = ['c']",
        "events.b.synonyms: 'c' is a name of another event already",
    ),
    (SMALL + "[events.a]\nsynonyms = ['b']\n[events.b]", "events.a.synonyms: 'b' is a name of another event already"),
    (SMALL + "[cleaning]\nview_ms_min = -1", "cleaning.view_ms_min: must be a whole number from 0"),
    (SMALL + "[cleaning.rules.crawlers]", "cleaning.rules.crawlers: 'crawlers' is not a declared rule; did you mean 'crawler'?"),
    (SMALL + "[cleaning.rules.crawler]\nenabled = 1", "cleaning.rules.crawler.enabled: must be true or false, not 1"),
    (SMALL + "[cleaning.rules.crawler]\nchannels = ['wb']", "cleaning.rules.crawler.channels: 'wb' is not a declared channel"),
    (SMALL + "[[cleaning.test_traffic]]\nname = 'crawler'", "'crawler' is the name of another rule already"),
    (SMALL + "[[cleaning.test_traffic]]\nname = 'a'", "cleaning.test_traffic[1].where: must hold at least one condition"),
    (SMALL + "[[cleaning.test_traffic]]\nname = 'a'\nwhere = [{ field = 'mode' }]", "field: must be event, channel, "),
    (SMALL + "[[cleaning.test_traffic]]\nname = 'a'\nwhere = [{ field = 'event' }]", "must have values, a list of texts, or "),
    (
        SMALL + "[[cleaning.test_traffic]]\nname = 'a'\nwhere = [{ field = 'event', matches = '(' }]",
        "matches: '(' is not a regular expression",
    ),
    (
        SMALL + "[[cleaning.test_traffic]]\nname = 'a'\nwhere = [{ field = 'identifiers.nope', values = ['1'] }]",
        "where[1].field: 'nope' is not a declared namespace",
    ),
    (SMALL + "[cleaning.rules.crawler]\nchannels = []", "cleaning.rules.crawler.channels: must name at least one channel"),
    (
        SMALL + "[[cleaning.test_traffic]]\nname = 'a'\nchannels = []\nwhere = [{ field = 'event', values = ['b'] }]",
        "channels: must name",
    ),
    (
        SMALL + "[[journey.stages]]\nname = 'x'\nevents = ['e']\nchannels = []",
        "stages[1].channels: must name at least one channel",
    ),
    (SMALL + CODELESS + "channels = []", "codeless[1].channels: must name at least one channel"),
    (SMALL + CODELESS + "properties = { rule_version = 'text' }", "properties.rule_version: is the version of the rule"),
    (SMALL + "[events.'']", "events: '' is not a name of 1 to 200 characters without"),
    (SMALL + "[events.' a']", "events: ' a' is not a name of 1 to 200 characters without"),
    (SMALL + f"[events.{'a' * 201}]", "is not a name of 1 to 200 characters without"),
    (SMALL + "[regions]\ntraits = ['a..b']", "regions.traits: 'a..b' is not a field"),
    (SMALL + "[events.a]\nsynonyms_in = { wb = ['b'] }", "events.a.synonyms_in.wb: 'wb' is not a declared channel"),
    (
        SMALL + "[events.a]\nsynonyms_in = { web = ['x'] }\n[events.b]\nsynonyms_in = { web = ['x'] }",
        "events.b.synonyms_in.web: 'x' is a name of another event already",
    ),
]


@pytest.mark.parametrize(("text", "told"), BROKEN)
def test_a_broken_rule_is_one_line_with_file_key_and_rule(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ConfigError) as error:
        config_of(tmp_path, text)
    assert str(error.value).startswith(f"{tmp_path / 'own.toml'}: ")
    assert told in str(error.value)
    assert "\n" not in str(error.value)

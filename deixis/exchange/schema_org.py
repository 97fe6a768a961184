"""Types of the shipped schemas as classes of schema.org (version 29)."""

_COARSE = {
    "Person": ("person", "per"),
    "Place": ("location", "loc", "gpe", "building", "fac", "road", "street", "mountain"),
    "Organization": ("organization", "org"),
    "CreativeWork": ("art",),
    "Event": ("event",),
    "Product": ("product", "wea"),
    "Vehicle": ("veh",),
}
_FINE = {
    "Person": (
        *("politician", "musician", "actor", "artist", "athlete", "author", "businessman"),
        *("character", "coach", "director", "intellectual", "journalist", "person_other"),
    ),
    "City": ("city",),
    "Country": ("country",),
    "State": ("state",),
    "Continent": ("continent",),
    "Park": ("park",),
    "Place": ("road", "location_other", "building_other"),
    "CivicStructure": ("cultural_place", "entertainment_place"),
    "SportsActivityLocation": ("sports_facility",),
    "Corporation": ("company",),
    "EducationalOrganization": ("educational_institution",),
    "MusicGroup": ("band",),
    "GovernmentOrganization": ("government_agency",),
    "NewsMediaOrganization": ("news_agency",),
    "PoliticalParty": ("political_party",),
    "Organization": ("social_organization", "organization_other"),
    "SportsOrganization": ("sports_league",),
    "SportsTeam": ("sports_team",),
    "MedicalEntity": ("medical_thing",),
    "WebSite": ("website",),
    "Legislation": ("ordinance",),
    "CreativeWork": ("film_and_television_works", "music", "written_work", "art_other"),
    "Periodical": ("magazine",),
    "Festival": ("festival",),
    "SportsEvent": ("sports_event",),
    "Event": ("event_other",),
    "Product": ("brand_name_products", "product_other"),
    "Game": ("game",),
    "SoftwareApplication": ("software",),
}
_CLASS_OF_TYPE = {name: made for made, names in _COARSE.items() for name in names}
_CLASS_OF_FINE = {name: made for made, names in _FINE.items() for name in names}


def classes_of(type_: str, fine_types: tuple[str, ...] = ()) -> list[str]:
    """Return the names of the classes of a type and its fine types; ``Thing`` if none is known."""
    found = [_CLASS_OF_TYPE.get(type_.casefold())]
    found += [_CLASS_OF_FINE.get(name.casefold()) for name in fine_types]
    return list(dict.fromkeys(name for name in found if name)) or ["Thing"]

"""Reading of FHIR: lenient in what it takes, and silent about nothing that it leaves out."""

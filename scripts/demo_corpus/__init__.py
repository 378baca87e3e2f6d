"""The demo corpus: a grammar of English sentences and their German translations.

random_stream   random numbers that are the same on every machine and Python version
english         English word forms
german          German word forms: articles, adjective endings, nouns, verbs
nouns, verbs, adjectives, adverbials, times    the lexicon
phrases         noun phrases, places and times, in both languages
clauses         one clause in both languages: word order, brackets, negation
participants    who takes part, and with what
clause_maker    which clauses make sense: tenses, times and places that go together
linked, reasons, reports, conditions, histories    sentences of two clauses
states          sentences about how things are
sentences       every kind of sentence and its weight; statements and questions
corpus          the splits, the held-out combinations, the files
readme          the page that describes the corpus, with its measured figures
word_by_word    the translation that a dictionary alone would give, and its BLEU
"""

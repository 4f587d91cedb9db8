"""The outlines of the templates: name, description and keywords of every topic."""

from __future__ import annotations

SUPPORT = """
Billing: Money the customer pays or gets back: billing, payment
  Charges and Invoices: Questions about an invoice, a charge that is not understood, or a receipt:
      invoice, receipt, charged twice, unexpected charge, billing statement, overcharged, VAT
  Refunds: Asking for money back, or where a refund is:
      refund, money back, reimburse, reimbursement, credit back, chargeback
  Payment Methods: Adding or changing a card or account, and payments that fail:
      payment method, payment failed, card declined, update card, bank account, direct debit, PayPal
  Discounts and Vouchers: Codes, promotions and prices that were promised:
      discount, coupon, promo code, voucher, gift card, promotion
Account: Who the customer is and how they get in: account, profile
  Login and Password: Cannot sign in, a forgotten password, a locked account, two-step codes:
      log in, login, sign in, password, reset password, locked out, two-factor, verification code
  Profile Details: Changing a name, an email, an address or preferences:
      change email, change address, update profile, phone number, preferences, notifications
  Privacy and Data: What is stored, exporting it, consent and deletion of data:
      privacy, personal data, delete my data, GDPR, export my data, consent
  Closing an Account: Deleting or deactivating the account for good:
      close account, delete account, deactivate account
Orders and Delivery: What was bought and how it arrives: order, delivery
  Order Status and Tracking: Where an order is and when it comes:
      order status, where is my order, track order, tracking number, delivery date, dispatched
  Late or Lost Deliveries: An order that is delayed, missing or went to the wrong place:
      late delivery, delayed, not arrived, lost package, missing parcel, never received
  Changes and Cancellations: Changing or cancelling an order before it ships:
      cancel order, cancel my order, change order, modify order, wrong address, wrong size
  Returns and Exchanges: Sending something back or swapping it:
      return, return label, exchange, send back, damaged item, wrong item
Subscription: A plan that runs over time: subscription, plan
  Upgrade or Downgrade: Moving to another plan, seats and limits:
      upgrade, downgrade, change plan, add seats, premium, plan limit
  Renewal: When and how a plan renews, and how to stop that:
      renewal, auto-renew, renew, expire, expired subscription
  Cancellation: Ending a plan, and what happens afterwards:
      cancel subscription, unsubscribe, cancel my plan, end membership, stop subscription
  Trials: Free periods and what comes after them:
      free trial, trial period, trial ended, start trial
Technical Problems: Something does not work as it should: problem, error
  Errors and Crashes: Error messages, freezes and crashes:
      error message, crash, crashes, freezes, error code, not loading, blank screen
  Performance: Slow pages, delays and timeouts:
      slow, lag, timeout, takes forever, performance, loading time
  Setup and Installation: Installing, configuring and connecting a product:
      install, installation, set up, setup, configure, connect device, firmware
  Integrations: Working together with other software, through an interface or a plugin:
      integration, API key, webhook, plugin, sync, third-party, import data
Product Questions: What the product does, before or after buying: product, feature
  How It Works: How to do something with the product:
      how do I use, tutorial, instructions, user guide, manual
  Availability and Compatibility: Stock, countries, devices and versions:
      in stock, available in, compatible, compatibility, supported devices, supported versions
  Feature Requests: Wishes for what the product does not do yet:
      feature request, suggestion, would be great if, please add, missing feature
Contact and Complaints: The service itself: complaint, contact
  Reaching a Person: Asking for a human, a manager or a call:
      speak to a human, real person, talk to an agent, call me, manager, phone support
  Complaints: Dissatisfaction with service, quality or a promise:
      complaint, complain, unacceptable, terrible service, disappointed, rude
  Praise and Feedback: Thanks, reviews and ratings:
      feedback, great service, review, rating, compliment
"""

CODING_HELP = """
Writing Code: Code that does not exist yet: implement, write
  Functions and Algorithms: A function, a class or an algorithm from a description:
      write a function, implement a function, algorithm, write a class, recursion, sort, parse
  Scripts and Automation: Small programs that do a chore:
      write a script, bash script, automate, cron, batch, command line tool, web scraper
  Regular Expressions and Text: Matching, extracting and transforming text:
      regex, regular expression, match pattern, replace text, string manipulation
  Boilerplate and Scaffolding: The skeleton of a project, a class or a configuration:
      boilerplate, scaffold, starter project, project structure, template project
Debugging: Code that does not work: bug, debug
  Error Messages: Exceptions, stack traces and compiler errors:
      error, exception, traceback, stack trace, TypeError, undefined, null pointer, syntax error
  Wrong Results: Code that runs but gives the wrong answer:
      wrong output, not working, unexpected result, incorrect result, returns None, off by one
  Performance and Memory: Code that is slow or takes too much memory:
      slow, optimize, optimise, memory leak, bottleneck, profiling, time complexity, speed up
  Concurrency: Threads, async code, races and deadlocks:
      async, await, thread, deadlock, race condition, mutex, concurrency
Understanding Code: Code and ideas that need explaining: explain, understand
  Explaining Code: What a piece of code does, step by step:
      explain this code, what does this code do, walk me through, line by line
  Concepts: Language features, patterns and principles:
      what is the difference between, design pattern, concept, best practice, object-oriented
  Libraries and Interfaces: How to use a package, a framework or an interface:
      how to use, documentation, library, framework, package, SDK, API call
Improving Code: Code that works and should be better: improve, refactor
  Refactoring: A clearer structure without changing what it does:
      refactor, clean up, simplify, restructure, readability, duplicate code
  Review: Judging a change, finding risks and style problems:
      code review, review this code, review my code, pull request, feedback on my code
  Security: Finding and closing holes:
      vulnerability, SQL injection, XSS, security issue, sanitize, authentication, encryption
  Translation and Migration: Another language, another version, another framework:
      convert to, translate this code, port to, migrate, upgrade to version, rewrite in
Testing: Showing that code works: test, testing
  Unit Tests: Tests of single functions, mocks and fixtures:
      unit test, write tests, pytest, jest, mock, test case, assertion
  Integration and End-to-End: Tests of parts together, browsers and services:
      integration test, end-to-end, Selenium, Playwright, Cypress, test environment
Data and Databases: Storing and asking: database, data
  SQL Queries: Writing and fixing queries:
      SQL, query, join, group by, select from, subquery, window function
  Schema Design: Tables, relations, indexes and migrations:
      schema, table design, foreign key, index, normalization, migration, ORM
  Data Processing: Reading, cleaning and reshaping data in code:
      pandas, dataframe, CSV, JSON file, numpy, spark, clean data
Web and Interfaces: What a browser shows and what answers it: web, page
  Front End: Markup, styles, components and state:
      HTML, CSS, React, component, JavaScript, button, layout, flexbox
  Back End: Routes, requests, sessions and servers:
      endpoint, REST, Flask, Django, Express, server, middleware, request handler
Tools and Deployment: What is around the code: tool, deploy
  Version Control: Branches, merges, conflicts and history:
      git, commit, merge conflict, branch, rebase, GitHub
  Build and Dependencies: Compilers, packages and environments:
      npm, pip install, dependency, build failed, version conflict, virtual environment, compile
  Deployment and Infrastructure: Containers, pipelines, clouds and servers:
      Docker, Kubernetes, CI, pipeline, AWS, deploy, nginx, Terraform
"""

EDUCATION = """
Mathematics: Numbers, shapes and proofs: math, mathematics
  Arithmetic and Fractions: Calculating with numbers, percentages and ratios:
      add, subtract, multiply, divide, fraction, percent, ratio, decimal, arithmetic
  Algebra: Equations, functions and expressions:
      equation, solve for x, algebra, polynomial, factor, inequality, linear function, quadratic
  Geometry: Figures, angles, areas and proofs about them:
      triangle, angle, area, perimeter, circle, volume, geometry, theorem
  Calculus: Limits, derivatives and integrals:
      derivative, integral, limit, calculus, differentiate, integrate, series
  Statistics and Probability: Data, chance and tests:
      probability, mean, median, standard deviation, statistics, distribution, hypothesis test
Science: How nature works: science
  Physics: Forces, energy, waves and electricity:
      force, velocity, acceleration, energy, gravity, circuit, momentum, physics, wave
  Chemistry: Substances and reactions:
      reaction, molecule, chemical, acid, periodic table, chemistry, mole, bond
  Biology: Living things, cells, genes and evolution:
      cell, DNA, photosynthesis, evolution, organism, biology, protein, ecosystem
  Earth and Space: Weather, rocks, planets and stars:
      planet, climate, volcano, earthquake, solar system, star, weather, astronomy
Languages and Literature: Reading, writing and other languages: language, literature
  Essay Writing: Planning, writing and improving an essay:
      essay, thesis statement, paragraph, introduction, conclusion, outline, argument
  Grammar and Vocabulary: Rules, word choice and correction:
      grammar, verb tense, punctuation, synonym, vocabulary, sentence, spelling
  Literary Analysis: Poems, novels, characters and themes:
      novel, poem, character, theme, metaphor, author, literary, Shakespeare
  Foreign Languages: Learning and practising another language:
      translate, Spanish, French, German, conjugate, pronunciation, learn a language
History and Society: People, then and now: history, society
  History: Events, periods and their causes:
      war, revolution, empire, century, ancient, historical, treaty
  Geography: Places, countries, maps and populations:
      country, capital, river, continent, population, map, geography
  Civics and Economics: Government, law, markets and money:
      government, constitution, democracy, economy, inflation, supply and demand, market, vote
Computing: Programs and data as a subject: computer, computing
  Programming Exercises: Tasks and mistakes of people who learn to program:
      programming assignment, Python exercise, loop, variable, homework program, code exercise
  Computer Science: Data structures, algorithms and theory:
      data structure, binary search, complexity, linked list, Turing, algorithm, recursion
Teaching: For those who teach: teaching, teacher
  Lesson Plans: Plans, activities and materials for a class:
      lesson plan, classroom activity, curriculum, worksheet, learning objective, syllabus
  Quizzes and Assessment: Making and marking questions:
      quiz, multiple choice, exam questions, rubric, grade this, flashcards, assessment
  Feedback to Students: Comments on the work of a student:
      student feedback, report card, comment on student, mark this essay
Study Skills: Learning how to learn: study, learning
  Exam Preparation: Revising, past papers and tests to practise on:
      exam, revise, study for, practice test, SAT, prepare for the test
  Summaries and Notes: The main points of a text or a lecture:
      summarize, notes, key points, main ideas, lecture, chapter summary
  Planning and Motivation: Timetables, focus and keeping going:
      study plan, schedule, procrastination, motivation, focus, time management
"""

SALES = """
Lead Generation: Finding who may buy: lead, prospect
  Prospect Research: Companies and people, what they do and need:
      prospect, target company, decision maker, ideal customer, research the company, LinkedIn
  Lead Qualification: Whether a lead fits, has a budget and a need:
      qualify, qualification, budget, BANT, lead score, good fit, timeline
  Lists and Enrichment: Contact lists, missing details, duplicates:
      lead list, contact details, enrich, email address, phone number, contact list
Outreach: The first word to somebody new: outreach, contact
  Cold Emails: A first mail, its subject and its length:
      cold email, subject line, outreach email, introduction email, email sequence
  Calls and Voicemail: Scripts, openings and messages left:
      cold call, call script, voicemail, phone pitch, gatekeeper
  Social Messages: Short messages and posts on networks:
      LinkedIn message, connection request, direct message, InMail, social selling
  Follow-Ups: The next message when there was no answer:
      follow up, follow-up, no response, reminder email, check in, bump
Product Conversations: What is sold and why it helps: product, solution
  Product Questions: Features, fit, requirements and roadmap:
      feature, does it support, roadmap, integration, requirements, specification
  Demonstrations: Preparing and holding a demonstration:
      demo, demonstration, walkthrough, product tour, show me, proof of concept
  Comparison with Competitors: How the offer differs from others:
      competitor, compared to, alternative, versus, battlecard, better than
  Value and Return: What it saves or earns, with numbers and stories:
      ROI, return on investment, business case, cost savings, case study, value proposition
Pricing and Negotiation: What it costs and on which terms: price, pricing
  Price Questions: Plans, list prices, taxes and fees:
      pricing, how much does it cost, price list, per seat, annual plan, quote me
  Discounts: Asking for less, volume and special offers:
      discount, cheaper, volume pricing, special offer, lower price, promotion
  Objections: Too expensive, not now, already served:
      objection, too expensive, not interested, no budget, already have a vendor, bad timing
  Contract Terms: Duration, liability, payment and renewal clauses:
      contract, terms, payment terms, legal review, SLA, liability, NDA
Closing: From yes to signed: close, closing
  Proposals and Quotes: Writing an offer, and answering a tender:
      proposal, quote, quotation, RFP, tender, statement of work, offer letter
  Orders and Signature: Purchase orders, approval and signing:
      purchase order, sign, signature, DocuSign, approval, procurement
  Handover: From selling to onboarding:
      onboarding, handover, kickoff, implementation, welcome email
Account Management: Customers that are there already: account, customer
  Renewals: Keeping a customer when a term ends:
      renewal, renew, contract ends, churn, retention, at risk
  Upselling and Cross-Selling: More of the same, or something beside it:
      upsell, cross-sell, expansion, add-on, upgrade plan, additional licenses
  Check-Ins and Reviews: Regular talks about use and results:
      quarterly review, QBR, check-in, customer success, usage report, satisfaction
Sales Operations: The work behind the sale: operations, process
  Meetings and Scheduling: Appointments, agendas, notes and next steps:
      schedule a meeting, calendar, agenda, meeting notes, reschedule, book a call
  Pipeline and Forecast: Stages, numbers, targets and predictions:
      pipeline, forecast, quota, stage, win rate, sales target, deals this quarter
  Customer Records: Entering and finding things in the sales system:
      CRM, Salesforce, HubSpot, update the record, log the call, opportunity
"""

DATA_EXTRACTION = """
People and Companies: Who a text is about: entity, name
  Person Details: Names, roles, dates of birth and identifiers of people:
      person name, full name, job title, date of birth, names of people, employee
  Company Details: Names, numbers, industries and sizes of companies:
      company name, organization, registration number, industry, headquarters, subsidiary
  Contact Data: Addresses, mail addresses, phones and sites:
      email address, phone number, postal address, website, contact information, zip code
Financial Documents: Papers with amounts on them: amount, document
  Invoices: Numbers, dates, items, taxes and totals of invoices:
      invoice, invoice number, line item, due date, VAT, total amount, supplier
  Receipts: Merchant, items and total of a receipt:
      receipt, merchant, subtotal, tip, purchase date, store
  Bank Statements: Transactions, balances and accounts:
      bank statement, transaction, balance, IBAN, account number, debit, credit
  Financial Reports: Figures and statements from filings and reports:
      annual report, revenue, balance sheet, earnings, fiscal year, 10-K, net income
Contracts and Law: Papers that bind: legal, contract
  Contract Clauses: Parties, terms, obligations and dates in contracts:
      clause, contract, agreement, party, effective date, termination, governing law
  Court and Case Records: Cases, courts, judges and outcomes:
      court, plaintiff, defendant, case number, judgment, ruling
  Policies and Regulation: Duties and limits from rules and policies:
      regulation, policy, compliance, requirement, statute, section
Forms and Identity: Fields that somebody filled in: form, field
  Application Forms: Answers and check boxes of forms:
      form field, application form, checkbox, applicant, questionnaire, survey answers
  Identity Documents: Passports, licences and cards:
      passport, driver license, ID card, expiry date, nationality, document number
  Resumes: Experience, education and skills of a candidate:
      resume, CV, work experience, education, skills, candidate
Health Records: Text about patients: patient, medical
  Clinical Notes: Symptoms, findings, diagnoses and plans:
      patient, diagnosis, symptom, clinical note, history, discharge summary
  Medication: Drugs, doses and schedules:
      medication, dose, dosage, mg, prescription, drug
  Laboratory Results: Measured values with units and ranges:
      lab result, blood test, reference range, test result, hemoglobin
Products and Commerce: Text about things that are sold: product, item
  Product Attributes: Brand, size, colour, material and other properties:
      product title, brand, color, size, material, attributes, specifications
  Prices and Offers: Prices, discounts and availability:
      price, discount, currency, in stock, offer, availability
  Reviews and Opinions: What people say of which aspect, and how:
      review, sentiment, aspect, rating, positive, negative, opinion
Messages and News: Running text: message, article
  Emails and Tickets: Requests, intents and details from mails and tickets:
      email thread, ticket, request type, sender, subject, urgency
  News and Events: Who did what, when and where:
      news article, event, headline, location, date, who what when
  Meeting Notes: Decisions, tasks and owners:
      meeting, action item, minutes, transcript, decision, owner
Tables and Structure: The shape of what comes out: table, structure
  Tables: Rows and columns from text or pages:
      table, rows and columns, spreadsheet, CSV, cell, header row
  Schema Filling: Output that fits a given schema:
      JSON schema, structured output, fields, key-value, return JSON, null if missing
  Normalisation: Dates, units, codes and names in one form:
      normalize, standardize, ISO date, convert units, deduplicate, canonical form
  Classification and Labels: One of several labels for a text:
      classify, label, category, tag, classification, which category
"""

GENERAL_ASSISTANT = """
Writing: New text and better text: write, text
  Emails and Letters: Mails, letters and short messages:
      email, letter, reply to, message to, cover letter, invitation, draft an email
  Creative Writing: Stories, poems, names and jokes:
      story, poem, song, character, joke, fiction, lyrics, haiku
  Business Writing: Reports, proposals, posts and descriptions:
      report, proposal, blog post, press release, product description, social media post, memo
  Editing and Proofreading: Correcting, shortening and changing the tone:
      proofread, rewrite, rephrase, grammar, shorten, more formal, edit this, improve this text
Summarising and Understanding: What a text says: summary, understand
  Summaries: The main points of a text:
      summarize, summary, key points, TL;DR, main points, in a few sentences
  Translation: Another language:
      translate, translation, into English, into Spanish, in French, what does this mean in
  Explaining: An idea in plain words:
      explain, what is, what does it mean, simple terms, like I am five, definition
Knowledge: Questions with an answer: question, fact
  Science and Technology: How things work, discoveries and devices:
      science, physics, technology, computer, space, how does it work, invention
  History and Culture: The past, art, religion and customs:
      history, war, art, culture, religion, tradition, century
  Geography and Travel Facts: Places, distances, climates and borders:
      capital of, country, city, population, distance between, time zone
  Entertainment and Sport: Films, music, games, teams and records:
      movie, film, music, game, sport, actor, team, TV show, album
Planning: What to do and when: plan, planning
  Travel: Trips, routes, places to stay and to see:
      trip, itinerary, hotel, flight, travel, vacation, visit, days in
  Food and Recipes: Cooking, diets and menus:
      recipe, cook, ingredients, dinner, meal plan, bake, vegetarian
  Events and Gifts: Parties, weddings and presents:
      party, birthday, wedding, gift idea, celebration, event
  Schedules and Goals: Days, habits and projects:
      schedule, to-do list, habit, goal, routine, productivity, project plan
Advice: A decision or a difficulty: advice, decide
  Health and Fitness: Exercise, sleep, food and symptoms:
      exercise, workout, sleep, symptom, diet, weight, doctor, headache
  Money: Saving, taxes, loans and investing:
      budget, save money, invest, tax, loan, mortgage, credit card, retirement
  Work and Career: Applications, interviews and colleagues:
      job interview, resume, career, salary, boss, coworker, promotion
  Relationships: Family, friends and feelings:
      relationship, friend, girlfriend, boyfriend, family, feeling, argument, marriage
Reasoning: Thinking something through: reasoning, problem
  Mathematics: Calculations, proofs and word problems:
      calculate, equation, solve, how many, percent, probability, math problem
  Logic and Puzzles: Riddles, games and deductions:
      riddle, puzzle, logic, brain teaser, deduce, sudoku
  Comparison and Decisions: Options side by side:
      compare, pros and cons, which is better, difference between, should I choose
Computing: Code, data and devices: computer, software
  Programming: Writing, fixing and explaining code:
      code, function, Python, JavaScript, bug, script, SQL, program
  Spreadsheets and Data: Formulas, tables and charts:
      Excel, spreadsheet, formula, chart, Google Sheets, pivot table, data analysis
  Devices and Software: Using and repairing what one has:
      phone, laptop, Wi-Fi, Windows, app, printer, install, settings
Conversation: Talk for its own sake: chat, conversation
  Small Talk: Greetings, moods and questions to the assistant:
      how are you, who are you, tell me about yourself, bored, chat with me, good morning
  Role Play: Playing a part, interviews and debates:
      pretend, role play, act as, you are a, imagine you, debate
  Brainstorming: Ideas, names and lists:
      ideas, brainstorm, suggest names, give me a list, inspiration, slogan
"""

TREES = {
    "support": SUPPORT,
    "coding_help": CODING_HELP,
    "education": EDUCATION,
    "sales": SALES,
    "data_extraction": DATA_EXTRACTION,
    "general_assistant": GENERAL_ASSISTANT,
}
"""Outline of each template by its name."""

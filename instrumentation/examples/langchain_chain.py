"""Trace LangChain and LangGraph: the chain, its steps, and each model call once.

pip install "spanloop[langchain]" langchain-openai
OPENAI_API_KEY=… python langchain_chain.py
"""

import spanloop
from langchain_core.prompts import ChatPromptTemplate
from langchain_openai import ChatOpenAI

if __name__ == "__main__":
    spanloop.init("examples")
    spanloop.auto_instrument()
    prompt = ChatPromptTemplate.from_messages([("user", "What is the capital of {country}?")])
    chain = prompt | ChatOpenAI(model="gpt-4o-mini")
    with spanloop.context(user_id="ada"):
        print(chain.invoke({"country": "France"}).content)
